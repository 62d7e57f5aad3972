"""Formulas are checked against what their evaluators know, before anybody drives by them."""

from dataclasses import fields
from typing import Any

import pytest

from apps.penalties.domain.evaluate import EVALUATORS
from apps.penalties.domain.formulas import Formula
from apps.penalties.domain.registry import Terms, problems, register, settings_of, table_settings
from apps.penalties.domain.speed_zone import SpeedParameters

WRONG = [
    (Formula("f", "parking"), "type"),
    (Formula("f", "time_control", mode="whole"), "mode"),
    (Formula("f", "time_control", "latte"), "target"),
    (Formula("f", "missed_waypoint", "DZ"), "target"),
    (Formula("f", "late_start", penalty_ms=-1), "penalty"),
    (Formula("f", "late_start", offence_min=5, offence_max=4), "offence_max"),
    (Formula("f", "waypoint_ratio", params={"share": 70}), "params.share"),
    (Formula("f", "speed_zone", params={"rounding": "round"}), "params.rounding"),
    (Formula("f", "speed_zone", params={"repeat": ["2"]}), "params.repeat"),
    (Formula("f", "speed_zone", params={"repeat": [-1]}), "params.repeat"),
    (Formula("f", "speed_zone", params={"cap_ms": "60"}), "params.cap_ms"),
    (Formula("f", "speed_zone", params={"cap_ms": -60}), "params.cap_ms"),
    (Formula("f", "dns_lump", params={"allowed": "one"}), "params.allowed"),
    (Formula("f", "dnf_lump", params={"add_maximum": 1}), "params.add_maximum"),
    (Formula("f", "fixed_penalty", params={"statuses": [1]}), "params.statuses"),
    (Formula("f", "incident", "x", params={"status": "gone"}), "params.status"),
]


@pytest.mark.parametrize(("formula", "field"), WRONG)
def test_a_formula_nobody_can_compute_is_told_by_its_field(formula: Formula, field: str) -> None:
    assert [named for named, _reason in problems(formula)] == [field]


@pytest.mark.parametrize(
    "formula",
    [
        Formula("f", "speed_zone", mode="per_second", params={"repeat": [1, 2.5], "scope": "event", "min_fixes": 3}),
        Formula("f", "time_control", "otl", params={"max_late_minutes": 30}),
        Formula("f", "dns_lump", params={"allowed": None}),
        Formula("f", "dns_lump", params={"allowed": 1, "count_missed": False}),
        Formula("f", "fixed_penalty", params={"statuses": ["otl"]}),
        Formula("f", "incident", "anything", params={"status": "dsq", "fine": "100 EUR"}),
    ],
)
def test_a_good_formula_has_no_problems(formula: Formula) -> None:
    """Lists stand for tuples, as JSON and YAML have no others."""
    assert list(problems(formula)) == []


@pytest.mark.parametrize("name", sorted(EVALUATORS))
def test_defaults_fit_their_own_parameters(name: str) -> None:
    """What a profile writes out in full is accepted again."""
    kind = EVALUATORS[name].terms.parameters
    params: dict[str, Any] = {f.name: getattr(kind(), f.name) for f in fields(kind)}
    assert list(problems(Formula("f", name, params=params))) == []


def test_settings_of_a_table_hold_for_all_its_rows() -> None:
    """Given on any row; where rows differ, the lowest bracket's."""
    rows = [
        Formula("a", "speed_zone", params={"cap_ms": 1}),
        Formula("b", "speed_zone", params={"cap_ms": 2, "repeat": [1, 2]}),
    ]
    assert table_settings(rows, SpeedParameters) == SpeedParameters(cap_ms=1, repeat=(1, 2))
    assert settings_of(rows[1], SpeedParameters).cap_ms == 2


def test_a_name_is_taken_once() -> None:
    """Two evaluators of one name would depend on the order of imports."""
    with pytest.raises(ValueError, match="two evaluators named speed_zone"):
        register("speed_zone", "Another", Terms())(lambda offences, formulas: [])
