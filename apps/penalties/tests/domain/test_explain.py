"""Every penalty can be read out: what happened, the rule, the inputs, the arithmetic (issue 4, item 2)."""

from datetime import timedelta, timezone

import pytest
from django.utils.translation import gettext, override

from apps.common.said import told
from apps.penalties.domain.evaluate import EVALUATORS, evaluate
from apps.penalties.domain.explain import explain, sentences
from apps.penalties.domain.formulas import Formula, Issued
from apps.penalties.domain.registry import (
    Before,
    Incident,
    LatePassage,
    NeutralStay,
    Offences,
    SegmentDrive,
    StartDrive,
    TimeCheck,
    ZoneDrive,
)
from apps.penalties.tests.domain.build import MINUTE, example_3, hms
from apps.timing.domain.zone_intervals import ZoneInterval
from apps.timing.tests.domain.build import at, steady, waypoint

FORMULAS = [
    Formula("cc", "closed_control", penalty_ms=15 * MINUTE),
    Formula("fs", "false_start", penalty_ms=10_000, params={"add_value": True}),
    Formula("fp", "fixed_penalty", penalty_ms=900 * MINUTE),
    Formula("in", "incident", penalty_ms=MINUTE, params={"status": "dsq"}),
    Formula("ls", "late_start", penalty_ms=MINUTE, mode="marginal"),
    Formula("df", "dnf_lump", penalty_ms=180 * MINUTE, params={"add_maximum": True}),
    Formula("ds", "dns_lump", penalty_ms=120 * MINUTE, params={"allowed": 1}),
    Formula("mt", "maximum_time", penalty_ms=60 * MINUTE),
    Formula("mw", "missed_waypoint", penalty_ms=15 * MINUTE, article="80.11.5"),
    Formula("ne", "neutralisation"),
    Formula("sz", "speed_zone", offence_min=1, penalty_ms=MINUTE, mode="whole", article="80.16"),
    Formula("tc", "time_control", penalty_ms=10_000, mode="marginal", params={"max_late_minutes": 30}),
    Formula("wr", "waypoint_ratio", offence_max=70),
    Formula("cl", "cumulative_lateness", "event", offence_min=31),
]


def everything(status: str) -> Offences:
    """A crew that did it all wrong."""
    due, ten = hms("10:12:00"), hms("10:00:00")
    zone = ZoneInterval(at(0), None)
    return Offences(
        race_class="C-2",
        missed=(waypoint(1),),
        validated=1,
        total=4,
        finished=True,
        zones=(
            ZoneDrive("z", "ss", 50, 0.0, (zone,), (steady(example_3()),)),
            ZoneDrive("look", "ss", 50, 0.0, (zone,), (steady([40.0, 90.0, 40.0]),)),
        ),
        late=(LatePassage(waypoint(2, "PC"), hms("12:06:00"), hms("12:09:30")),),
        checks=tuple(TimeCheck("l", f"tc{m}", due, due + m * MINUTE, "card") for m in (-2, 3, 31)),
        starts=(StartDrive("ss", ten, hms("10:12:00.250")),),
        neutral=(NeutralStay("dn", hms("10:15:20"), hms("10:29:05"), 15 * MINUTE),),
        segments=tuple(SegmentDrive(f"s{sp}", sp, 121 * MINUTE, 120 * MINUTE, True) for sp in (True, False)),
        incidents=(Incident("i1", "false_start", ten, 1600), Incident("i2", "litter", ten, note="at km 12")),
        before=Before(event={"dns": 1}),
        status=status,
        maximum_ms=420 * MINUTE,
    )


def issued(key: str, status: str = "") -> Issued:
    """One of the penalties of that crew."""
    return {p.key: p for p in evaluate(everything(status), FORMULAS)}[key]


@pytest.mark.parametrize("status", ["", "dnf", "dns"])
def test_every_penalty_has_its_sentence(status: str) -> None:
    """Title first; nothing left unknown; never a bare name of an input."""
    for penalty in evaluate(everything(status), FORMULAS):
        text = explain(penalty)
        assert text.startswith(f"{EVALUATORS[penalty.type].title}: the ") or penalty.type in {"false_start", "incident"}
        assert "(unknown)" not in text
        assert "{" not in text
        assert not [word for word in ("_ms", "_ts", "_kmh") if word in text]


def test_every_evaluator_is_told() -> None:
    """The crew above has been penalised by all of them."""
    seen = {p.type for status in ("dnf", "dns") for p in evaluate(everything(status), FORMULAS)}
    assert seen == EVALUATORS.keys()


def test_speeding_is_read_out_in_full() -> None:
    """Sentence, rule, inputs with units, fixes, arithmetic."""
    first, rule, inputs, arithmetic = explain(issued("speed_zone:z")).splitlines()
    assert first == (
        "Speeding in a zone: the crew drove up to 75 km/h in zone z at 06:01:00, where 50 km/h are allowed: "
        "25 km/h over. Penalty 0:06:00."
    )
    assert rule == "Rule: 80.16, applies to overall, stage, start order"
    assert "limit 50 km/h; tolerance 0 km/h; intervals 06:00:00 to the end" in inputs
    assert "pulses 6: 15 km/h over at 06:00:10, " in inputs
    assert "37 fixes over the limit, 06:00:10 to 06:01:11" in inputs
    assert arithmetic == "Arithmetic: 6 pulses × 0:01:00 = 0:06:00"


def test_a_review_is_told_last() -> None:
    """A single fix over the limit costs nothing and asks for a look."""
    lines = explain(issued("speed_zone:look")).splitlines()
    assert lines[0].endswith("where 50 km/h are allowed, calls for a look. No time penalty.")
    assert "spikes 90 km/h at 06:00:01" in lines[2]
    assert lines[-1] == "To be reviewed: single fix over the limit"


@pytest.mark.parametrize(
    ("key", "status", "sentence"),
    [
        ("time_control:l:tc-2", "", "Time control: the crew checked in at tc-2 at 10:10:00, 2 min early; due 10:12:00. "
         "Penalty 0:00:20."),
        ("time_control:l:tc31", "", "Time control: the crew checked in at tc31 at 10:43:00, 31 min late; due 10:12:00, "
         "and more than 30 min late is out of time. No time penalty; the stage counts as out of time."),
        ("false_start:i1", "", "False start: a false start was reported at 10:00:00, number 1 of the crew in "
         "this event; time gained 0:00:01.600. Penalty 0:00:11.600."),
        ("late_start:ss", "", "Late start: the crew started ss 0:12:00.250 late: at 10:12:00.250, assigned 10:00:00. "
         "Penalty 0:12:00."),
        ("neutralisation:dn", "", "Neutralisation left early: the crew left the neutralisation dn at 10:29:05; "
         "its earliest exit was 10:30:20, so it was 75 s early. Penalty 0:01:15."),
        ("waypoint_ratio:", "", "Too few waypoints: the crew validated 1 of 4 waypoints, fewer than 70 %. "
         "No time penalty; the stage counts as not finished."),
        ("dns_lump:", "dns", "Stage not started: the stage was not started; stage not started number 2 of the crew "
         "in this event. Penalty 2:00:00; the crew is out of the classification."),
    ],
)  # fmt: skip
def test_the_first_line(key: str, status: str, sentence: str) -> None:
    """To be read out as it stands."""
    assert explain(issued(key, status)).splitlines()[0] == sentence


def test_the_clock_of_the_rally() -> None:
    """Instants are told in the zone asked for; durations do not change."""
    text = explain(issued("neutralisation:dn"), timezone(timedelta(hours=2)))
    assert "earliest exit 12:30:20" in text
    assert "allotted 0:15:00" in text


def test_names_stand_in_for_ids() -> None:
    """An official reads names, not ids."""
    text = explain(issued("missed_waypoint:w1"), names={"w1": "Vau i Dejës"})
    assert text.startswith("Missed waypoint: the crew did not pass WPM Vau i Dejës; miss number 1 of that type.")


def test_a_penalty_of_another_engine_is_told_too() -> None:
    """Frozen inputs may lack what today's sentences name, and its evaluator may be gone."""
    assert "(unknown)" in explain(Issued("f", "late_start", "ss", 60_000))
    assert explain(Issued("f", "parking", "x", 60_000)).startswith("parking: x. Penalty 0:01:00.")


def test_it_is_read_out_in_albanian_from_what_is_stored_in_english() -> None:
    penalty = issued("speed_zone:z")
    with override("sq"):
        lines = [told(one, gettext) for one in sentences(penalty)]
    assert lines[0].startswith("Tejkalim") and "ekuipazhi" in lines[0] and "km/h" in lines[0]
    assert lines[1].startswith("Rregulli: ") and lines[3].startswith("Llogaritja: 6 impulse ×")
    assert "pulses" in penalty.inputs["arithmetic"], "what is stored stays as it was"
