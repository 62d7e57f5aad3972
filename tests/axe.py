"""What axe-core finds wrong with a page for people who do not see it, or use no mouse."""

from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

SCRIPT = Path(__file__).parent / "vendor" / "axe-core-4.14.1" / "axe.min.js"
GRAVE = ("serious", "critical")


@cache
def _script() -> str:
    return SCRIPT.read_text()


def violations(page: Page, *, without: tuple[str, ...] = (), only: tuple[str, ...] = ()) -> list[str]:
    """The page's serious and critical violations, a line for each element.

    `without` names selectors to leave out, `only` the rules that are asked (all).
    It is put in as the debugger does, so the page's Content-Security-Policy stays as it is.
    """
    page.evaluate(_script())
    found: dict[str, Any] = page.evaluate(
        """([without, only]) => axe.run({exclude: without.map(each => [each])},
            {resultTypes: ['violations'], ...(only.length && {runOnly: only})})""",
        [list(without), list(only)],
    )
    return [_told(fault, node) for fault in found["violations"] if fault["impact"] in GRAVE for node in fault["nodes"]]


def _told(fault: dict[str, Any], node: dict[str, Any]) -> str:
    why = "; ".join(line.strip() for line in node["failureSummary"].splitlines()[1:])
    return f"{fault['id']} at {node['target'][-1]}: {why}"
