"""The shipped profiles: only what rulebook §0.1 lets in, and worth what the regulations say (no database)."""

from dataclasses import replace

import pytest

from apps.penalties.domain.evaluate import evaluate
from apps.penalties.domain.formulas import Formula, clock
from apps.penalties.domain.registry import Before, Incident, Offences, SegmentDrive, TimeCheck, problems
from apps.penalties.profiles.files import load_shipped, shipped
from apps.penalties.profiles.questions import QUESTIONS
from apps.penalties.profiles.schema import EventSettings, formula_of
from apps.penalties.tests.domain.build import MINUTE, driven, hms, total
from apps.timing.tests.domain.build import steady, waypoint

HOUR = 60 * MINUTE
NAMES = ["fim-2022", "fim-2023", "fim-2025", "msuk-2026", "rally-albania", "serres"]


def formulas(name: str) -> list[Formula]:
    """The rules in force of a shipped profile, as scoring takes them: those without a value are left out."""
    rules = [rule for rule in load_shipped(name).formulas if rule.enabled and rule.penalty is not None]
    return [replace(formula_of(rule), id=f"{name}-{n}") for n, rule in enumerate(rules)]


def stage(status: str = "", *missed: str, maximum_ms: int | None = 7 * HOUR, before: Before | None = None) -> Offences:
    plans = tuple(waypoint(order, kind) for order, kind in enumerate(missed))
    return Offences("M-1", plans, status=status, maximum_ms=maximum_ms, before=before or Before())


def test_these_are_shipped() -> None:
    assert list(shipped()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_can_be_computed_and_is_named_as_its_file(name: str) -> None:
    profile = load_shipped(name)
    assert profile.name == name
    assert [list(problems(formula_of(rule))) for rule in profile.formulas] == [[]] * len(profile.formulas)


@pytest.mark.parametrize("name", NAMES)
def test_every_value_has_grade_a_or_b_and_a_source(name: str) -> None:
    """Rulebook §0.1: no suggestion and no choice of ours is shipped as a rule."""
    profile = load_shipped(name)
    values = [rule for rule in profile.formulas if rule.penalty is not None]
    settings = [getattr(profile.settings, field) for field in EventSettings.__struct_fields__]
    for given in [*values, *profile.waypoints.values(), *filter(None, settings)]:
        assert given.grade in ("A", "B"), given
        assert given.source, given
    assert all(rule.article for rule in values)


@pytest.mark.parametrize("name", NAMES)
def test_every_item_of_the_checklist_is_answered_or_named_open(name: str) -> None:
    questions = load_shipped(name).questions
    assert list(questions) == list(QUESTIONS)
    assert all(question.answer or question.open for question in questions.values())


@pytest.mark.parametrize(("name", "excess", "minutes"), [
    ("fim-2022", 20, 1), ("fim-2022", 25, 2), ("fim-2022", 45, 6),
    ("fim-2023", 20, 1), ("fim-2023", 25, 2), ("fim-2023", 45, 3),
])  # fmt: skip
def test_worked_example_3_the_two_fim_tables(name: str, excess: int, minutes: int) -> None:
    """3.4: the two reports differ above 40 km/h over: two profiles, 6 and 3 min."""
    (penalty,) = evaluate(driven(steady([50.0 + excess] * 30)), formulas(name))
    assert (penalty.inputs["excess_kmh"], penalty.ms) == (excess, minutes * MINUTE)


def test_worked_example_5_by_the_shipped_profile() -> None:
    """1 WPM, 1 WPS, 1 WPN, 2 WPP: 94 minutes; 27 of 40 is a DNF, 28 is not."""
    table = formulas("fim-2025")
    assert total(stage("", "WPM", "WPS", "WPN", "WPP", "WPP"), table) == 94 * MINUTE
    for validated, status in ((27, ["dnf"]), (28, [])):
        issued = evaluate(Offences("M-1", validated=validated, total=40, finished=True), table)
        assert [penalty.status for penalty in issued] == status


def test_worked_example_7_by_the_shipped_profile() -> None:
    """DNS 23:30:00 and DNF 13:30:00 once the organiser's stage penalty of an hour is put in."""
    table = [
        replace(row, params={**row.params, "stage_penalty_ms": HOUR}) if row.type.endswith("_lump") else row
        for row in formulas("fim-2025")
    ]
    assert clock(total(stage("dns", *["WPM"] * 30, "WPN", "WPN"), table)) == "23:30:00"
    assert clock(total(stage("dnf", *["WPM"] * 10), table)) == "13:30:00"


@pytest.mark.parametrize(("card", "ms", "status"), [
    ("10:10:00", 120_000, ""), ("10:12:00", None, ""), ("10:15:00", None, ""),
    ("10:42:00", None, ""), ("10:43:00", 30 * MINUTE, ""),
])  # fmt: skip
def test_worked_example_1_by_the_shipped_profile(card: str, ms: int | None, status: str) -> None:
    """MSUK with lateness not declared: early 1 min a minute, 30 min late still in, 31 out of time: 30 min (4.2)."""
    check = TimeCheck("liaison", "tc", hms("10:12:00"), hms(card), "card")
    issued = evaluate(Offences("M-1", checks=(check,)), formulas("msuk-2026"))
    assert [(penalty.ms, penalty.status) for penalty in issued] == ([] if ms is None else [(ms, status)])


def test_worked_example_1_lateness_declared() -> None:
    """Switched on, a minute late costs 10 s."""
    late = [replace(formula_of(r), id="late") for r in load_shipped("msuk-2026").formulas if r.target == "late"]
    check = TimeCheck("liaison", "tc", hms("10:12:00"), hms("10:42:00"), "card")
    assert total(Offences("M-1", checks=(check,)), [*formulas("msuk-2026"), *late]) == 300_000


@pytest.mark.parametrize(("number", "ms"), [(1, 11_600), (2, 60_000), (3, 180_000)])
def test_worked_example_2_by_the_shipped_profile(number: int, ms: int) -> None:
    """10 s and the time gained, 1 min, 3 min."""
    start = Incident("i", "false_start", hms("11:29:58"), 1600)
    before = Before(event={"false_start": number - 1})
    assert total(Offences("M-1", incidents=(start,), before=before), formulas("msuk-2026")) == ms


def test_worked_example_11_by_the_shipped_profile() -> None:
    """Serres: 120:01 min on a liaison of 80 is abandoned; a DNS day is 2 h once, then out; complete crews first."""
    table = formulas("serres")
    for driven_ms, status in ((120 * MINUTE, []), (120 * MINUTE + 1000, ["dnf"])):
        drive = SegmentDrive("liaison", False, driven_ms, 120 * MINUTE, True)
        assert [p.status for p in evaluate(Offences("M-1", segments=(drive,)), table)] == status
    (first,) = evaluate(stage("dns"), table)
    (second,) = evaluate(stage("dns", before=Before(event={"dns": 2, "dns_day": 1})), table)
    assert (first.ms, first.status, second.status) == (2 * HOUR, "", "nc")
    complete_first = load_shipped("serres").settings.complete_first
    assert complete_first is not None and complete_first.value is True


def test_rally_albania_has_no_number() -> None:
    """Its regulations are not known: a template without a single value."""
    profile = load_shipped("rally-albania")
    assert [rule.penalty for rule in profile.formulas] == [None] * 7
    assert profile.settings == EventSettings() and not profile.waypoints
