"""Rule files: what is refused and how it is named, and that what is written is read back exactly (no database)."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given

from apps.penalties.profiles.files import MOST_BYTES, dumps, load_file, load_shipped, loads, shipped
from apps.penalties.profiles.schema import Profile, RulesError, parse
from apps.penalties.tests.profiles.random_rules import profiles

HEAD = "name: x\nversion: '1'\n"
MISSED: dict[str, Any] = {"type": "missed_waypoint", "penalty": "0:15:00"}


def of(*rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A file as plain values."""
    return {"name": "x", "version": "1", "formulas": list(rules), **more}


def reasons(data: dict[str, Any]) -> list[str]:
    with pytest.raises(RulesError) as caught:
        parse(data)
    return list(caught.value.reasons)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"version": "1"}, "file: Object missing required field `name`"),
    (of(MISSED, {"type": "missed_waypoint"}), "formulas[1].penalty: missing; write null"),
    (of({**MISSED, "penalty": "15 min"}), "formulas[0].penalty: '15 min' is no time: h:mm:ss"),
    (of({**MISSED, "penalty": "0:75:00"}), "formulas[0].penalty: '0:75:00' is no time"),
    (of({**MISSED, "penalty": -1}), "formulas[0].penalty: -1.0 is no number of seconds"),
    (of({**MISSED, "penalty": float("nan")}), "formulas[0].penalty: nan is no number of seconds"),
    (of({**MISSED, "penalty": True}), "formulas[0].penalty: Expected `float | str | null`, got `bool`"),
    (of({**MISSED, "grade": "E"}), "formulas[0].grade: Invalid enum value 'E'"),
    (of({**MISSED, "colour": "red"}), "formulas[0]: Object contains unknown field `colour`"),
    (of({**MISSED, "type": "parking"}), "formulas[0].type: no evaluator named 'parking'; there are closed_control,"),
    (of({**MISSED, "mode": "whole"}), "formulas[0].mode: missed_waypoint knows flat_max, not 'whole'"),
    (of({**MISSED, "target": "WPX"}), "formulas[0].target: missed_waypoint knows PC, WPC"),
    (of({**MISSED, "params": {"cap_ms": 1}}), "formulas[0].params.cap_ms: unknown to missed_waypoint"),
    (of({**MISSED, "offence_min": 3, "offence_max": 2}), "formulas[0].offence_max: 2 is below offence_min 3"),
    (of({**MISSED, "offence_min": float("inf")}), "formulas[0].offence_min: brackets are finite"),
    (of({**MISSED, "applies_to": []}), "formulas[0].applies_to: name at least one"),
    (of({**MISSED, "zone": "1/1/Village"}), "formulas[0].zone: missed_waypoint is not about zones"),
    (of({**MISSED, "article": "a\0b"}), "file: a text holds the character NUL"),
    (of(MISSED, MISSED), "formulas[1]: its bracket overlaps that of formulas[0]"),
    (of(questions={"weather": {}}), "questions.weather: no such item; there are waypoint_radii"),
    (of(waypoints={"WPM": {"clear_m": 0}}), "waypoints[...].clear_m: Expected `float` > 0.0"),
    (of(settings={"tie_rule": {"value": "dice"}}), "settings.tie_rule.value: Invalid enum value 'dice'"),
    (of(settings={"source_priority": {"value": []}}), "settings.source_priority.value: name every source once"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "reason"), WRONG)
def test_a_wrong_value_is_named_by_path_and_reason(data: dict[str, Any], reason: str) -> None:
    assert parse(of()).name == parse(of(MISSED)).name == "x"
    (found,) = reasons(data)
    assert found.startswith(reason)


def test_all_wrong_rules_are_named_at_once() -> None:
    wrong = of({**MISSED, "mode": "whole"}, {**MISSED, "type": "parking"}, {**MISSED, "penalty": "x"})
    assert [reason.split(":")[0] for reason in reasons(wrong)] == [
        "formulas[0].mode",
        "formulas[1].type",
        "formulas[2].penalty",
    ]


def test_brackets_may_share_an_edge_but_not_overlap() -> None:
    """3.6: where two rows share an edge the lower one holds it; more in common is a mistake."""
    low, high = ({"type": "speed_zone", "penalty": 60, "offence_min": m, "offence_max": m + 20} for m in (0, 20))
    assert len(parse(of(low, high)).formulas) == 2
    assert reasons(of(low, {**high, "offence_min": 19}))[0].startswith("formulas[1]: its bracket overlaps")
    assert parse(of(low, {**low, "enabled": False})), "a rule that is off is in nobody's way"


WRONG_YAML = [
    ("formulas: [{type: missed_waypoint, penalty: 1, penalty: 2}]", "'penalty' is given twice"),
    ("title: &a x\ndescription: *a", "aliases are not taken"),
    ("title: !!python/name:os.system x", "could not determine a constructor"),
    ("formulas: [", "line 3, column 12: expected the node content"),
    ("title: no\nformulas: {}", "formulas: Expected `array`"),
    ("title: 80.16", "title: Expected `str`, got `float`"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), WRONG_YAML)
def test_yaml_without_surprises(text: str, reason: str) -> None:
    with pytest.raises(RulesError, match=".") as caught:
        loads((HEAD + text).encode(), ".yaml")
    assert reason in str(caught.value)


def test_times_in_yaml_are_times_quoted_or_not() -> None:
    """YAML 1.1 would read 1:30:00 as a number, and 0:15:00 as a text."""
    text = HEAD + "formulas: [{type: dns_lump, penalty: 1:30:00}, {type: dnf_lump, penalty: 5400}]"
    assert [rule.penalty for rule in loads(text.encode(), ".yaml").formulas] == ["1:30:00", "1:30:00"]


@pytest.mark.parametrize(
    "data", [b'{"name": "x", "name": "y"}', b'{"name": NaN}', b"[" * 100_000, b"\xff", b" " * (MOST_BYTES + 1)]
)
def test_json_without_surprises(data: bytes) -> None:
    with pytest.raises(RulesError, match="file: "):
        loads(data, ".json")


def test_a_file_is_named_in_its_errors(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(HEAD + "formulas: [{type: dns_lump, penalty: soon}]")
    with pytest.raises(RulesError, match=r"mine\.yaml: formulas\[0\]\.penalty: 'soon' is no time"):
        load_file(path)
    with pytest.raises(RulesError, match="No such file"):
        load_file(tmp_path / "none.yaml")
    with pytest.raises(RulesError, match="ends with .xls, not with .yaml, .yml or .json"):
        loads(b"", ".xls")
    with pytest.raises(RulesError, match="no profile named 'fim-1999'; there are fim-2022"):
        load_shipped("fim-1999")


@pytest.mark.parametrize("suffix", [".yaml", ".yml", ".json"])
@pytest.mark.parametrize("name", shipped())
def test_shipped_profiles_are_read_back_exactly(name: str, suffix: str) -> None:
    profile = load_shipped(name)
    assert loads(dumps(profile, suffix), suffix) == profile


@given(profiles())
def test_any_profile_is_read_back_exactly(profile: Profile) -> None:
    """The law of the format: no text, number or table is changed by writing and reading it."""
    for suffix in (".yaml", ".json"):
        assert loads(dumps(profile, suffix), suffix) == profile


@pytest.mark.parametrize("text", ["\x85ab'", "a\u2028\u2029b", "\x85"])
def test_line_breaks_of_unicode_are_kept(text: str) -> None:
    """YAML folds them outside of double quotes: a description was read back as another."""
    profile = msgspec.structs.replace(load_shipped("serres"), description=text)
    assert loads(dumps(profile, ".yaml"), ".yaml") == profile
