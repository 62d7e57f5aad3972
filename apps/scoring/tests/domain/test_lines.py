"""The line of a stage: totals, lumps, clean times, and crews that have left (rulebook 6.3, 6.4)."""

from dataclasses import replace

import pytest

from apps.scoring.domain.lines import NOTHING_YET, Competitor, Reading, stage_line
from apps.scoring.domain.status import Status

CREW = Competitor("e", 301, "C-2", team="T", group="car")
FINISHED = Reading(Status.FINISHED, 130, (60, 40), penalty_ms=30, overall_penalty_ms=50, start_order_penalty_ms=5)
LUMPED = Reading(Status.DNF, 700, (60, None), penalty_ms=700, overall_penalty_ms=700)


def test_a_finished_stage() -> None:
    line = stage_line(FINISHED, CREW)
    assert (line.total_ms, line.clean_ms, line.start_order_ms, line.penalty_ms) == (130, 100, 105, 30)
    assert (line.overall_extra_ms, line.completed, line.complete, line.lumped) == (20, 1, True, False)
    assert (line.team, line.group, line.splits) == ("T", "car", (60, 40))


def test_a_lump_is_a_total_and_no_clean_time() -> None:
    line = stage_line(LUMPED, CREW)
    assert (line.total_ms, line.clean_ms, line.start_order_ms) == (700, None, None)
    assert (line.lumped, line.complete, line.completed) == (True, False, 1)


@pytest.mark.parametrize("word", ["retired", "withdrawn"])
def test_who_left_the_event_has_no_lump(word: str) -> None:
    """6.4: a dnf stage is not a retired crew, and a retired crew is not ranked by lumps; what it finished stays."""
    gone = replace(CREW, word=word)
    line = stage_line(LUMPED, gone)
    assert (line.total_ms, line.lumped, line.completed, line.penalty_ms) == (None, False, 0, 0)
    assert stage_line(FINISHED, gone).total_ms == 130


@pytest.mark.parametrize("status", [Status.RUNNING, Status.REGISTERED, Status.DNF, Status.NC, Status.DSQ])
def test_without_a_total_nothing_counts(status: Status) -> None:
    """Penalties of a stage that has no total are in no sum."""
    line = stage_line(Reading(status, None, penalty_ms=30, start_order_penalty_ms=5), CREW)
    assert (line.total_ms, line.clean_ms, line.start_order_ms, line.penalty_ms) == (None, None, None, 0)
    assert (line.completed, line.lumped) == (0, False)


def test_splits_of_a_super_special_are_kept_apart() -> None:
    line = stage_line(replace(FINISHED, super_special=True), CREW)
    assert (line.splits, line.super_splits) == ((), (60, 40))


def test_nothing_yet() -> None:
    line = stage_line(NOTHING_YET, CREW)
    assert (line.status, line.completed, line.complete) == (Status.REGISTERED, 0, True)
