"""Speeding penalties (rulebook 3.3-3.6, worked examples 3, 3b and 4)."""

import numpy as np
import pytest

from apps.course.domain.fixes import Fixes
from apps.penalties.domain.evaluate import evaluate
from apps.penalties.domain.formulas import Formula, Issued
from apps.penalties.domain.speed_zone import NO_BRACKET, SINGLE_FIX
from apps.penalties.tests.domain.build import MINUTE, driven, example_3, speed_table
from apps.timing.domain.zone_intervals import DZ_MISSED
from apps.timing.tests.domain.build import at, steady

EXAMPLE_3 = ((1, 20, MINUTE), (21, 40, 2 * MINUTE))
FIM_2022 = (*EXAMPLE_3, (41, None, 6 * MINUTE))
FIM_2023 = (*EXAMPLE_3, (41, None, 3 * MINUTE))


def issued(speeds: list[float], formulas: list[Formula], limit: float = 50) -> tuple[Issued, ...]:
    """The penalties of one zone driven at these speeds, one a second."""
    return evaluate(driven(steady(speeds), limit), formulas)


@pytest.mark.parametrize(("mode", "minutes"), [("flat_max", 2), ("per_impulse", 8), ("whole", 12)])
def test_worked_example_3(mode: str, minutes: int) -> None:
    """One infringement per zone; three maths over the same six pulses."""
    (penalty,) = issued(list(example_3()), speed_table(*EXAMPLE_3, mode=mode))
    assert penalty.ms == minutes * MINUTE
    assert len(penalty.inputs["pulses"]) == 6


@pytest.mark.parametrize(("table", "minutes"), [(FIM_2022, 6), (FIM_2023, 3)])
def test_worked_example_3_profiles(table: tuple[tuple[float, float | None, int], ...], minutes: int) -> None:
    """The same zone with a maximum excess of 45."""
    (penalty,) = issued([48.0, 95.0, 95.0, 48.0], speed_table(*table))
    assert penalty.ms == minutes * MINUTE


@pytest.mark.parametrize(("peak", "seconds"), [(54, 10), (55, 10), (61, 120), (77, 600)])
def test_worked_example_4_published_fia_penalties(peak: int, seconds: int) -> None:
    """Only the cited points are asserted; the bracket edges between them are ours."""
    table = speed_table((1, 5, 10_000), (11, 26, 120_000), (27, None, 600_000))
    (penalty,) = issued([48.0, float(peak), float(peak), 48.0], table)
    assert penalty.ms == seconds * 1000


def test_marginal_prices_each_kmh_by_its_own_bracket() -> None:
    """3.5: 0-20 at 1 s, 20-40 at 3 s, excess 25: 20·1 + 5·3 = 35 s."""
    table = speed_table((0, 20, 1000), (20, 40, 3000), mode="marginal")
    (penalty,) = issued([75.0] * 3 + [40.0], table)
    assert penalty.ms == 35_000


def test_per_second_prices_time_in_each_bracket() -> None:
    """3.5: 25 s at 15 over and 12 s at 25 over."""
    table = speed_table((1, 20, 1000), (21, 40, 2000), mode="per_second")
    (penalty,) = issued(list(example_3()), table)
    assert penalty.ms == 25_000 + 24_000


def test_a_single_fix_over_the_limit_is_reviewed_not_penalised() -> None:
    """3.6: a spike needs a second fix to be believed."""
    (penalty,) = issued([48.0, 90.0, 48.0], speed_table(*FIM_2022))
    assert penalty.ms == 0
    assert penalty.inputs["review"] == [SINGLE_FIX]
    assert penalty.fixes == (at(1),)


@pytest.mark.parametrize(("displaced", "ms"), [((5,), 0), ((5, 6, 7), 2 * MINUTE)])
def test_without_device_speeds_one_fix_out_of_place_is_a_spike(displaced: tuple[int, ...], ms: int) -> None:
    """3.6: a single displaced fix makes two chords too fast, and is still a single fix."""
    fixes = steady([45.0] * 12)
    lat = fixes.lat.copy()
    lat[list(displaced)] += np.arange(1, len(displaced) + 1) * 8 / 111_195.0
    blind = Fixes.build(fixes.device, fixes.ts, lat, fixes.lon)
    (penalty,) = evaluate(driven(blind), speed_table(*FIM_2022))
    assert penalty.ms == ms


def test_a_legal_drive_issues_nothing() -> None:
    """At the limit is legal."""
    assert issued([50.0] * 20, speed_table(*FIM_2022)) == ()


def test_an_excess_below_the_lowest_bracket_issues_nothing() -> None:
    """A table that begins at 6 forgives the first five."""
    assert issued([55.0] * 3, speed_table((6, None, MINUTE))) == ()


def test_an_excess_no_bracket_holds_is_reviewed() -> None:
    """A hole in the table is an official's business, not silence."""
    (penalty,) = issued([95.0] * 3, speed_table((1, 20, MINUTE)))
    assert (penalty.ms, penalty.inputs["review"]) == (0, [NO_BRACKET])


def test_a_missed_dz_is_reviewed() -> None:
    """Nothing is penalised, and the officials learn of it."""
    offences = driven(steady([]), review=DZ_MISSED)
    (penalty,) = evaluate(offences, speed_table(*FIM_2022))
    assert (penalty.ms, penalty.inputs["review"]) == (0, [DZ_MISSED])


def test_the_inputs_are_frozen_into_the_penalty() -> None:
    """A later change of the rule leaves the penalty explained by itself."""
    (penalty,) = issued([48.0, 61.0, 64.0, 48.0], speed_table(*FIM_2022))
    assert penalty.key == "speed_zone:z"
    assert penalty.fixes == (at(1), at(2))
    assert penalty.inputs["limit_kmh"] == 50
    assert (penalty.inputs["peak_kmh"], penalty.inputs["excess_kmh"]) == (64.0, 14)
    assert penalty.inputs["pulses"] == [[at(1), 11]]
    assert penalty.inputs["peak_ts"] == at(2)


def test_unknown_mode_and_unknown_type_are_refused() -> None:
    """A wrong row of the rules stops the scoring instead of pricing it wrongly."""
    with pytest.raises(ValueError, match="bracket mode"):
        issued([90.0] * 3, speed_table(*FIM_2022, mode="retroactive"))
    with pytest.raises(ValueError, match="no evaluator for penalty type parking"):
        issued([90.0] * 3, [Formula("t", "parking")])
