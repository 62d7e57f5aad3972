"""What the pure parts refuse reaches an Albanian official in Albanian: start settings, rules, course files, tracks."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import translation
from django.utils.translation import gettext

from apps.commands.models import CommandText
from apps.common.gpx import GpxError, read_points
from apps.common.said import Listed, Said, about, told
from apps.common.translations.sources import texts_of
from apps.course.domain.importing import read_course
from apps.course.tests.domain.importing.test_read_course import BROKEN, WARNED
from apps.penalties.domain import decisions, registry
from apps.penalties.domain.formulas import Formula
from apps.penalties.profiles.files import loads
from apps.penalties.profiles.schema import RulesError, parse
from apps.penalties.tests.domain.test_registry import WRONG as WRONG_FORMULAS
from apps.penalties.tests.profiles.test_files import HEAD, WRONG_YAML
from apps.penalties.tests.profiles.test_files import WRONG as WRONG_RULES
from apps.timing.domain.start_order import StartOrderError
from apps.timing.domain.start_settings import read_settings
from apps.timing.tests.domain.test_start_settings import FACTS
from apps.timing.tests.domain.test_start_settings import WRONG as WRONG_SETTINGS

ENGLISH = re.compile(
    r"\b(is|are|was|the|of|and|not|no|none|must|has|have|needs?|missing|unknown|expected|given|with)\b"
)
WRONG_DECISIONS: list[tuple[str, Any]] = [
    ("parking", {}),
    ("set_status", []),
    ("set_status", {"status": "late"}),
    ("set_status", {}),
    ("set_status", {"status": "dsq", "why": "x"}),
    ("impose_penalty", {"ms": "1", "applies_to": ["x"]}),
    ("opener_bonus", {"segment": "", "metres": 1.5, "ms_per_km": -1}),
    ("faulty_fixes", {"device": "d", "from_ts": 2, "to_ts": 1}),
    ("faulty_fixes", {"device": "d", "from_ts": "2", "to_ts": 1}),
]
WRONG_TRACKS = [
    "",
    "<gpx><trk></gpx>",
    '<!DOCTYPE g [<!ENTITY a "b">]><gpx>&a;</gpx>',
    "<kml/>",
    "<gpx/>",
    "<gpx><trkpt lon='1'/></gpx>",
    "<gpx><trkpt lat='91' lon='1'/></gpx>",
    "<gpx><trkpt lat='north' lon='1'/></gpx>",
    "<gpx><trkpt lat='1' lon='1'><time>noon</time></trkpt></gpx>",
    "<gpx><trkpt lat='1' lon='1'><time>2026-06-08T10:00:00</time></trkpt></gpx>",
]


def of_settings(strategy: str, params: Any) -> list[Any]:
    with pytest.raises(StartOrderError) as caught:
        read_settings(params, replace(FACTS, strategy=strategy))
    return list(caught.value.args)


def of_formula(formula: Formula) -> list[Any]:
    return [about(field, reason) for field, reason in registry.problems(formula)]


def of_rules(read: Callable[[], object]) -> list[Any]:
    with pytest.raises(RulesError) as caught:
        read()
    return list(caught.value.reasons)


def of_course(filename: str, data: bytes) -> list[Any]:
    return [one for finding in read_course(filename, data)[1] for one in (finding.place, finding.reason)]


def of_track(text: str, folder: Path) -> list[Any]:
    (folder / "a.gpx").write_text(text)
    with pytest.raises(GpxError) as caught:
        read_points(folder / "a.gpx")
    return list(caught.value.args)


def leaves(sentence: Any) -> Iterator[Any]:
    """The templates and the plain parts of a sentence."""
    if isinstance(sentence, Listed):
        for part in sentence.parts:
            yield from leaves(part)
    elif isinstance(sentence, Said):
        yield Said(sentence.template)
        for part in sentence.parts.values():
            yield from leaves(part)
    else:
        yield str(sentence)


@cache
def extracted() -> frozenset[str]:
    """The texts that `manage.py translations` finds, of all apps."""
    root = Path(settings.BASE_DIR)
    configs = [config for config in apps.get_app_configs() if config.name.startswith("apps.")]
    return frozenset(text.id for config in configs for text in texts_of(config, root))


def check(refusals: list[Any]) -> None:
    """Each is found by the extraction, told in Albanian with its parts in it, and nothing of it stays English."""
    assert refusals
    for refusal in refusals:
        assert isinstance(refusal, Said)
        with translation.override("sq"):
            albanian = told(refusal, gettext)
        rest = albanian
        for leaf in leaves(refusal):
            if isinstance(leaf, Said):
                assert leaf in extracted()
            else:
                assert leaf in albanian, "the parts are those of the English"
                rest = rest.replace(leaf, "")
        assert albanian != refusal or not re.search(r"[a-z]{2,}", rest)
        assert not ENGLISH.search(rest), albanian


@pytest.mark.parametrize(("strategy", "params"), [row[:2] for row in WRONG_SETTINGS])
def test_start_settings(strategy: str, params: Any) -> None:
    check(of_settings(strategy, params))


@pytest.mark.parametrize("formula", [row[0] for row in WRONG_FORMULAS])
def test_formulas(formula: Formula) -> None:
    check(of_formula(formula))


@pytest.mark.parametrize("data", [row[0] for row in WRONG_RULES])
def test_rules(data: dict[str, Any]) -> None:
    check(of_rules(lambda: parse(data)))


@pytest.mark.parametrize("text", [row[0] for row in WRONG_YAML])
def test_rule_files(text: str) -> None:
    check(of_rules(lambda: loads((HEAD + text).encode(), ".yaml")))


@pytest.mark.parametrize(
    "data", [b'{"name": "x", "name": "y"}', b'{"name": NaN}', b"[" * 100_000, b"{", b" " * 2_000_000]
)
def test_rule_files_in_json(data: bytes) -> None:
    check(of_rules(lambda: loads(data, ".json")))


@pytest.mark.parametrize(("kind", "params"), WRONG_DECISIONS)
def test_decisions(kind: str, params: Any) -> None:
    check(list(decisions.problems(kind, params)))


@pytest.mark.parametrize(("filename", "data"), [row[:2] for row in (*BROKEN, *WARNED)])
def test_course_files(filename: str, data: bytes) -> None:
    check(of_course(filename, data))


@pytest.mark.parametrize("text", WRONG_TRACKS)
def test_recorded_tracks(text: str, tmp_path: Path) -> None:
    check(of_track(text, tmp_path))


@pytest.mark.parametrize("pattern", ["a(", "[", "*", "a**", "a)", "\\", "a{3,2}", "(?z)", "[z-a]"])
def test_patterns_of_commands(pattern: str) -> None:
    with translation.override("sq"), pytest.raises(ValidationError) as caught:
        CommandText(pattern=pattern).clean()
    (said,) = caught.value.message_dict["pattern"]
    assert "në pozicionin" in said and not ENGLISH.search(said)


# Files of TRM itself, read by the shell alone; and what no reader's input can bring about, for its settings are read
# strictly before.
OURS = {
    "catalog/domain/io.py", "catalog/domain/seeds.py", "commands/domain/seeds.py", "desk/domain/clock.py",
    "timing/domain/closing.py", "timing/domain/plan.py", "scoring/domain/standings.py", "timing/domain/start_order.py",
    "penalties/domain/brackets.py", "penalties/domain/closing.py", "penalties/domain/evaluate.py",
    "penalties/domain/registry.py", "penalties/domain/speed_modes.py",
}  # fmt: skip


def test_no_pure_part_refuses_with_a_text_that_cannot_be_told() -> None:
    """A plain string in a `raise` or a finding would stay English."""
    root = Path(settings.BASE_DIR) / "apps"
    sources = [*root.glob("*/domain/**/*.py"), *root.glob("penalties/profiles/*.py"), root / "common/gpx.py"]
    found = [f"{path.relative_to(root)}" for path in sources if any(plain(path.read_text()))]
    assert set(found) == OURS


def plain(source: str) -> Iterator[bool]:
    """Whether each `raise` and each finding says a text that is no Said."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("error", "warning"):
            yield _is_text(node.args[-1])
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            yield getattr(node.exc.func, "attr", "") != "error" and any(map(_is_text, node.exc.args))


def _is_text(node: ast.expr) -> bool:
    listed = node.elts if isinstance(node, ast.List) else [node]
    return any(isinstance(one, ast.JoinedStr) or isinstance(getattr(one, "value", None), str) for one in listed)
