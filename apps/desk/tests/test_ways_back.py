"""Issue 6: every act asks the policy, is audited, and is undone by another act, after which results are as before.

One row an act, as in the table of docs/officials.md: done by a race director through the desk's own pages, tried to
be undone by one who only looks on, and undone by the director.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from apps.audit.models import AuditEntry
from apps.desk import review
from apps.desk.tests import ways_back_world as worlds
from apps.desk.tests.ways_back_world import WHY, Doing, Step, World, last_line, scored, started
from apps.desk.tests.ways_back_world import built as built
from apps.desk.tests.ways_back_world import world as world
from apps.penalties.domain.decisions import KINDS
from apps.penalties.models import Decision, EntryPenalty
from apps.racelog.domain.log import settled, stage_state
from apps.racelog.queries import state_lines, timeline, waiting_protests
from apps.safety import queries as safety
from apps.safety.models import Accounting, Alert, StageClosing
from apps.scoring.models import StageResult
from apps.scoring.start_lists import propose
from apps.timing.models import StartList, StartOverride, TimingRecord

State = Callable[[World], Any]


@dataclass(frozen=True, slots=True)
class Way:
    """An act and its way back; `before` are the acts it needs, `state` is what it changes: results where not said."""

    name: str
    act: Doing
    back: Sequence[Doing]
    state: State = scored
    before: Sequence[Doing] = ()


def held(world: World) -> Any:
    """What the log says of both stages: held, stopped, who says go; which protests wait, and what is settled."""
    said = state_lines(world.event.pk)
    states = [stage_state(said, str(stage.pk)) for stage in (world.stage, world.following)]
    now = [(bool(one.hold), bool(one.red), "medical" in one.missing(["medical"])) for one in states]
    return now, sorted(settled(said, str(world.stage.pk))), len(waiting_protests(world.event, None, said))


def starts(world: World) -> Any:
    return [(row.number, row.start_ms) for row in propose(world.following)]


def given_out(world: World) -> Any:
    rows = StartList.objects.filter(stage=world.following).order_by("-version").values_list("rows", flat=True).first()
    return [(row["number"], row["start_ms"]) for row in rows or []]


def alerts(world: World) -> Any:
    fields = ("acknowledged_by", "owner", "reason", "closed_by")
    [row] = Alert.objects.all()
    return [getattr(row, name) for name in fields], row.state


def lines(world: World) -> Any:
    return [row.text for row in timeline(world.event) if not row.undone and row.kind not in ("taken-back", "done")]


def in_force(world: World) -> Any:
    return Decision.objects.filter(revoked_at=None).count()


def left(world: World) -> Any:
    return safety.unaccounted(str(world.stage.pk)), StageClosing.objects.filter(reopened_at=None).count()


# Acts as their forms send them.


def control(act: str, *, ahead: bool = False, **data: str) -> Doing:
    """An act of race control; `ahead` in the stage to come."""

    def step(world: World) -> Step:
        stage = world.following if ahead else world.stage
        return Step("control", {"act": act, **data}, {"stage": str(stage.sort_order)})

    return step


def take_back(world: World) -> Step:
    line = last_line()
    query = {"stage": str(line.stage.sort_order)} if line.stage else {}
    return Step("control", {"act": "take-back", "line": str(line.pk), "text": WHY}, query)


def decided(kind: str, number: str = "302", **data: Any) -> Doing:
    def step(world: World) -> Step:
        given = {name: value(world) if callable(value) else value for name, value in data.items()}
        form = {"kind": kind, "number": number, "reason": "seen on video", "confirmed": "1", **given}
        return Step("decisions", form)

    return step


def revoke(world: World) -> Step:
    return Step("revoke", {"reason": WHY}, args=(Decision.objects.latest("number").pk,))


def judged(act: str, value: str = "") -> Doing:
    def step(world: World) -> Step:
        penalty = EntryPenalty.objects.get(type="missed_waypoint")
        return Step("review", {"penalty": str(penalty.pk), "act": act, "value": value, "reason": "seen on video"})

    return step


def confirmed(world: World) -> Step:
    entry, asst = world.entries[0], world.control("ASS")
    form = {"entry": str(entry.pk), "control": str(asst.pk), "act": str(started(world) + 600_000)}
    return Step("review", form | {"reason": "beam"})


def settled_case(world: World) -> Step:
    StageResult.objects.filter(entry=world.entries[0]).update(outcome={"segments": [], "conflicts": ["over maximum"]})
    [case] = [one for one in review.cases(world.stage) if one.kind == "conflict"]
    return Step("review", {"act": "settle", "case": case.key, "reason": "the marshal is right"})


def typed(world: World) -> Step:
    ts = started(world) + 5_000
    data = {"id": str(uuid4()), "number": "301", "time": world.clock(ts), "control": str(world.control("DSS").pk)}
    accepted = ["again", "far-from-gps", "before-start", "outside", "after-later", "before-earlier"]
    return Step("timing_write", data | {"source": "card", "at": ts, "accepted": accepted}, as_json=True)


def untyped(world: World) -> Step:
    return Step("timing_undo", {"id": str(TimingRecord.objects.get().pk), "reason": WHY}, as_json=True)


def untyped_on_its_page(world: World) -> Step:
    return Step("record", {"reason": WHY}, args=(TimingRecord.objects.get().pk,))


def flagged(world: World) -> Step:
    ts = started(world)
    form = {"act": "flag", "from": world.clock(ts - 20_000), "to": world.clock(ts + 20_000), "reason": "jumps"}
    return Step("positions", form, {"number": "301"})


def unflagged(world: World) -> Step:
    form = {"act": "revoke", "decision": str(Decision.objects.get().pk), "reason": WHY}
    return Step("positions", form, {"number": "301"})


def list_of_starts(act: str, **data: str) -> Doing:
    return lambda world: Step("starts", {"act": act, **data}, {"stage": str(world.following.sort_order)})


def unmoved(world: World) -> Step:
    moved = StartOverride.objects.get(revoked_at=None)
    return list_of_starts("revoke", override=str(moved.pk), reason=WHY)(world)


def released(world: World) -> Step:
    first = world.clock(worlds.start_ms(world) + 600_000)
    return control("release", ahead=True, text="the goats are gone", first=first)(world)


def alert(act: str, text: str = WHY) -> Doing:
    return lambda world: Step("safety", {"act": act, "alert": str(Alert.objects.get().pk), "text": text})


def safely(act: str, **data: str) -> Doing:
    return lambda world: Step("safety", {"act": act, "text": WHY, **data})


def unaccounted(world: World) -> Step:
    return safely("withdraw_accounting", accounting=str(Accounting.objects.get().pk))(world)


def awarded(world: World) -> Step:
    """305 was still on course when the signal came."""
    result = StageResult.objects.get(entry=world.entries[4])
    result.outcome["segments"][0] |= {"finish_ts": None, "net_ms": None}
    result.save()
    form = {"segment": str(world.segment.pk), "text": "shown red", "seeding": "fastest-first"}
    return Step("stopped", form | {"role-305": "red", "time-305": "0:09:00"}, args=(last_line().pk,))


HOLD, RED = control("hold", ahead=True, text="goats on the track"), control("red", text="blocked")
GO = control("go", about="medical")
PROTEST = control("protest", number="304", text="the time of 301")
PUBLISH, AGAIN = list_of_starts("publish"), list_of_starts("publish", reason=WHY)
MOVE = list_of_starts("move", number="303", position="1", reason="lost time helping")


def hear(world: World) -> Step:
    return control("hear", line=str(last_line().pk), text="rejected")(world)


def segment(world: World) -> str:
    return str(world.segment.pk)


def key(world: World) -> str:
    return str(EntryPenalty.objects.get(type="missed_waypoint").key)


def named(name: str) -> Callable[[World], str]:
    return lambda world: str(world.control(name).pk)


def running(world: World) -> Step:
    """Not an act: 305 has not come home."""
    StageResult.objects.filter(entry=world.entries[4]).update(status="running")
    return Step("control", {"act": "note", "text": "305 is not home"})


TAKEN_OUT: dict[str, Any] = {"segment": segment, "from_control": named("WPM"), "to_control": named("WPS")}
WAYS = (
    Way("time typed at the timing desk", typed, [untyped]),
    Way("time typed, taken back on its page", typed, [untyped_on_its_page]),
    Way("penalty waived in the review", judged("waive"), [revoke]),
    Way("penalty changed in the review", judged("edit", "1:30"), [revoke]),
    Way("penalty confirmed in the review", judged("confirm"), [revoke], in_force),
    Way("time confirmed in the review", confirmed, [revoke]),
    Way("contradiction settled", settled_case, [take_back], held),
    Way("decision: waive_penalty", decided("waive_penalty", key=key), [revoke]),
    Way("decision: confirm_penalty", decided("confirm_penalty", key=key), [revoke], in_force),
    Way("decision: edit_penalty", decided("edit_penalty", key=key, ms="2:00"), [revoke]),
    Way("decision: impose_penalty", decided("impose_penalty", ms="1:00"), [revoke]),
    Way("decision: confirm_time", decided("confirm_time", control=named("ASS"), ts="02:30:00"), [revoke]),
    Way("decision: time_credit", decided("time_credit", segment=segment, ms="10"), [revoke]),
    Way("decision: notional_time", decided("notional_time", segment=segment, ms="5:00"), [revoke]),
    Way("decision: opener_bonus", decided("opener_bonus", segment=segment, metres="4000", ms_per_km="5"), [revoke]),
    Way("decision: exclude_interval", decided("exclude_interval", **TAKEN_OUT), [revoke]),
    Way("decision: set_status", decided("set_status", status="dnf"), [revoke]),
    Way("decision: faulty_fixes", flagged, [unflagged]),
    Way("note in the log", control("note", text="wind"), [take_back], lines),
    Way("incident reported", control("incident", number="302", what="breakdown", text="stands"), [take_back], lines),
    Way("false start reported", control("false-start", number="302", gained="1.5"), [take_back]),
    Way("go", GO, [take_back], held),
    Way("go, then no-go", GO, [control("no-go", about="medical", text=WHY)], held),
    Way("starts held", HOLD, [take_back], held),
    Way("starts held, then released", HOLD, [control("release", ahead=True, text=WHY)], held),
    Way("starts released later", released, [take_back], given_out, [PUBLISH, HOLD]),
    Way("red signal", RED, [take_back], held),
    Way("red signal, then restart", RED, [control("green", text=WHY)], held),
    Way("restart", control("green", text="free"), [take_back], held, [RED]),
    Way("notional times awarded", awarded, [take_back], scored, [RED]),
    Way("protest taken", PROTEST, [take_back], held),
    Way("protest heard", hear, [take_back], held, [PROTEST]),
    Way("crew moved on the start list", MOVE, [unmoved], starts),
    Way("start list published again", AGAIN, [unmoved, AGAIN], given_out, [PUBLISH, MOVE]),
    Way("alert acknowledged", alert("acknowledge"), [alert("put_back")], alerts),
    Way("alert escalated", alert("escalate"), [alert("stand_down")], alerts),
    Way("alert closed", alert("close", "crew well"), [alert("reopen")], alerts, [alert("acknowledge")]),
    Way("crew accounted for", safely("account_for", number="305"), [unaccounted], left, [running]),
    Way("stage closed", safely("close_stage"), [safely("reopen_stage")], left),
)  # fmt: skip


def done(world: World, doing: Doing) -> None:
    answer = doing(world).sent(world, world.client)
    told = answer.content.decode() if answer.status_code != 302 else ""
    context = getattr(answer, "context", None) or {}
    assert answer.status_code in (200, 302) and not context.get("error"), context.get("error") or told[:2000]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_an_act_is_undone_by_another(world: World, way: Way) -> None:
    for doing in way.before:
        done(world, doing)
    results, state = scored(world), way.state(world)
    done(world, way.act)
    acted = way.state(world)
    assert acted != state, "the act does nothing"
    back = [doing(world) for doing in way.back[:1]]
    assert back[0].sent(world, world.viewer).status_code in (302, 403), "who only looks on is refused"
    assert way.state(world) == acted
    mark = AuditEntry.objects.latest("id").pk
    for doing in way.back:
        done(world, doing)
    assert way.state(world) == state
    assert scored(world) == results, "the results are as before"
    written = list(AuditEntry.objects.filter(pk__gt=mark))
    assert written and all(line.user_id == world.director.pk and line.door == "admin" for line in written)
    assert any(WHY in line.reason for line in written), "the audit says why"


@pytest.mark.django_db  # and so the test database is made, which the others have with a module's fixture
def test_every_kind_of_decision_is_in_the_table() -> None:
    assert {way.name.removeprefix("decision: ") for way in WAYS if way.name.startswith("decision: ")} == set(KINDS)
