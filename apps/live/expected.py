"""The rank a crew inside a stage would have overall: by what it brought into the stage, and its times in it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

COUNTS = ("registered", "running", "finished")  # who is out of the stage is no rival any more


@dataclass(frozen=True, slots=True)
class Before:
    """What an entry brought into the stage: its total of the earlier ones in ms, and how many of them it has not."""

    ms: int
    missing: int


@dataclass(frozen=True, slots=True)
class Inside:
    """A stage as one audience sees it, by entry: `splits` where it may see them, `statuses` of all."""

    splits: Mapping[str, list[int | None]]
    statuses: Mapping[str, str]


def rivals(before: Mapping[str, Before], inside: Inside) -> dict[str, dict[str, Any]]:
    """What the page ranks them by: `before` (ms), `missing`, `splits`, and `underWay`; empty with nobody inside.

    `static/live/splits.mjs` does so: first fewer missing, then the sum at a control; who has not got there is taken
    to be as fast from here.
    """
    if "running" not in inside.statuses.values():
        return {}
    return {
        entry: {
            "before": of.ms,
            "missing": of.missing,
            "splits": inside.splits.get(entry),
            "underWay": inside.statuses[entry] == "running",
        }
        for entry, of in before.items()
        if inside.statuses.get(entry) in COUNTS
    }
