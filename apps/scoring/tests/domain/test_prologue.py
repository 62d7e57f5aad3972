"""How often the time of a prologue counts: once, five times, for the start order alone (rulebook 7.1)."""

from dataclasses import replace

import pytest

from apps.scoring.domain.lines import Competitor, Reading, stage_line
from apps.scoring.domain.overall import leg, of_event
from apps.scoring.domain.status import Status
from apps.timing.tests.domain.build import special, stage

PLAN = stage(special())
CREW = Competitor("e", 301, "M-1")
PROLOGUE = Reading(Status.FINISHED, 130_000, (100_000,), penalty_ms=30_000, overall_penalty_ms=30_000)
FIRST = Reading(Status.FINISHED, 900_000, (900_000,))


@pytest.mark.parametrize(
    ("factor", "total", "clean", "penalty", "completed"),
    [
        (1, 1030, 1000, 30, 2),
        (5, 1430, 1400, 30, 2),  # Dakar 2022: bikes' prologue times five; penalties as they are
        (0, 900, 900, 0, 1),  # PGR: for the order only
    ],
)
def test_what_of_a_prologue_counts_overall(factor: int, total: int, clean: int, penalty: int, completed: int) -> None:
    plans = [replace(PLAN, overall_factor=factor), PLAN]
    lines = [[stage_line(replace(PROLOGUE, overall_factor=factor), CREW)], [stage_line(FIRST, CREW)]]
    (found,) = of_event(plans, lines)
    assert (found.total_ms, found.clean_ms, found.penalty_ms) == (total * 1000, clean * 1000, penalty * 1000)
    assert (found.completed, found.status) == (completed, Status.FINISHED)
    assert lines[0][0].total_ms == leg(lines[:1])[0].total_ms == 130_000  # its own result is what was driven


def test_a_lump_is_not_multiplied() -> None:
    lumped = Reading(Status.DNF, 700_000, (None,), 700_000, 700_000, overall_factor=5)
    (found,) = of_event([replace(PLAN, overall_factor=5)], [[stage_line(lumped, CREW)]])
    assert found.total_ms == 700_000


@pytest.mark.parametrize(
    ("status", "seen"), [(Status.DSQ, Status.DSQ), (Status.NC, Status.NC), (Status.DNF, Status.FINISHED)]
)
def test_who_is_disqualified_in_a_prologue_for_the_order_is_out_of_the_event(status: Status, seen: Status) -> None:
    plans = [replace(PLAN, overall_factor=0), PLAN]
    lines = [[stage_line(Reading(status, None), CREW)], [stage_line(FIRST, CREW)]]
    (found,) = of_event(plans, lines)
    assert (found.status, found.total_ms) == (seen, 900_000)
