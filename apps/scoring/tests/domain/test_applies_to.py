"""What a penalty touches is said outright: stage, overall, start order (rulebook 6.3)."""

from dataclasses import replace

import pytest

from apps.penalties.domain.decisions import Decision, overlay
from apps.penalties.domain.formulas import Formula
from apps.penalties.profiles.schema import Rule
from apps.scoring.domain.outcome import stage_line
from apps.scoring.domain.readings import Evidence
from apps.scoring.domain.stage import score_stage
from apps.timing.tests.domain.build import cut, special, stage, steady, waypoint

MINUTE = 60_000
PLAN = stage(special(waypoints=(waypoint(1),)))
DRIVEN = Evidence("e", "C-2", (cut("start", 0), cut("finish", 100)), steady([]))
RULE = Formula("wp", "missed_waypoint", penalty_ms=MINUTE)


@pytest.mark.parametrize(
    ("touches", "total", "extra", "start_order"),
    [
        ({"stage", "overall", "start_order"}, 160, 0, 160),  # sporting penalties of the Dakar
        ({"stage", "overall"}, 160, 0, 100),
        ({"overall"}, 100, 60, 100),  # Dakar 2022: in a neutralisation; 2025: in a liaison
        ({"overall", "start_order"}, 100, 60, 160),
        ({"start_order"}, 100, 0, 160),
        ({"stage"}, 160, -60, 100),
    ],
)
def test_each_flag_touches_its_own(touches: set[str], total: int, extra: int, start_order: int) -> None:
    """Seconds of the stage, of the event beyond it, and of the next start list."""
    outcome = score_stage(PLAN, [replace(RULE, applies_to=frozenset(touches))], DRIVEN)
    line = stage_line(outcome, 301, "C-2")
    assert line.total_ms is not None and line.start_order_ms is not None
    assert (line.total_ms // 1000, line.overall_extra_ms // 1000) == (total, extra)
    assert (line.start_order_ms // 1000, line.clean_ms) == (start_order, 100_000)


def test_without_a_word_a_penalty_touches_all() -> None:
    """A row, a rule of a file and an imposed penalty that do not say."""
    imposed = Decision("d", 1, "impose_penalty", {"ms": MINUTE})
    everything = {"stage", "overall", "start_order"}
    assert RULE.applies_to == everything == set(Rule("missed_waypoint", penalty=60).applies_to)
    assert overlay([imposed]).imposed[0].applies_to == everything
