"""Alerts are raised once, last over wavering and restarts, and end when the trouble does."""

from datetime import timedelta

import orjson
import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.utils import timezone
from redis import Redis

from apps.accounts.factories import OrganizationUserFactory, UserFactory
from apps.accounts.models import User
from apps.audit.models import AuditEntry
from apps.catalog.decoding import AttributeDecoder
from apps.catalog.models import Device, DeviceModel
from apps.catalog.services import seed_io_mappings
from apps.common import stream
from apps.course.factories import WaypointFactory
from apps.events.factories import EntryFactory
from apps.safety import queries, services
from apps.safety.closing import account_for, close_stage, reopen_stage
from apps.safety.detector import Watch, hear, look
from apps.safety.models import Alert, AlertLine, SafetySettings, StageClosing
from apps.safety.tests import field as fields
from apps.safety.tests.field import Field
from apps.scoring.queries import Window
from apps.timing.factories import EntryCrossingFactory, EntrySegmentStartFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def field() -> Field:
    return fields.build()


def officer(field: Field, role: str = "race-director") -> User:
    user: User = OrganizationUserFactory.create(organization=field.event.organization, role=role).user
    return user


def kinds() -> list[str]:
    return sorted(Alert.objects.filter(closed_at=None).values_list("kind", flat=True))


def acts(alert: Alert) -> list[str]:
    return list(alert.lines.values_list("act", flat=True))


def watch_all(field: Field) -> None:
    now = fields.now_ms()
    hear([Window(field.imei, now - 86_000_000, now)])
    look(str(field.event.pk))


def pass_(seconds: float) -> None:
    """As if the alerts had been raised, cleared and closed so much earlier."""
    for name in ("raised_at", "cleared_at", "closed_at"):
        for alert in Alert.objects.exclude(**{name: None}):
            Alert.objects.filter(pk=alert.pk).update(**{name: getattr(alert, name) - timedelta(seconds=seconds)})


def test_a_stop_is_raised_once_and_ends_when_the_crew_has_left(field: Field) -> None:
    field.stand(200)
    for _ in range(3):
        watch_all(field)
    alert = Alert.objects.get()
    assert (alert.kind, alert.stage, acts(alert)) == ("stopped", field.stage, ["raised"])
    field.fix(-0.001, 60)  # pushed out of the way: it wavers, and is not over
    field.fix(-0.002, 61)
    watch_all(field)
    assert acts(alert) == ["raised"]
    field.fix(-0.003, 500, speed=50.0)
    field.fix(-0.004, 520, speed=50.0)
    watch_all(field)
    assert acts(alert) == ["raised", "over"]
    watch_all(field)
    assert kinds() == ["stopped"]  # it is held for a while
    pass_(61)
    watch_all(field)
    assert kinds() == [] and acts(alert) == ["raised", "over", "closed"]


def test_one_stray_fix_does_not_end_a_stop(field: Field) -> None:
    field.stand(240, until_s=120)
    field.fix(115, 800)
    for ago in range(110, -1, -10):
        field.fix(ago)
    watch_all(field)
    assert kinds() == ["stopped"]


def test_a_faulty_fix_counts_for_nothing(field: Field) -> None:
    field.stand(240)
    field.fix(60, 900)
    field.fix(59, 900)
    with connection.cursor() as cursor:
        cursor.execute("update positions set faulty = true where latitude > %s", [fields.LAT + 0.001])
    watch_all(field)
    assert kinds() == ["stopped"]


@pytest.mark.parametrize("type_", ["liaison", "service", "neutralisation", "regroup"])
def test_where_a_crew_may_stand_nobody_is_alerted(type_: str) -> None:
    field = fields.build(type=type_)
    field.stand(400)
    watch_all(field)
    assert kinds() == []
    SafetySettings.objects.create(event=field.event, watched=[type_])
    watch_all(field)
    assert kinds() == ["stopped"]


def test_between_dn_and_fn_a_crew_may_stand(field: Field) -> None:
    field.stand(400)
    for name, expected in (("DN", []), ("FN", ["stopped"])):
        control = WaypointFactory.create(segment=field.segment, type=name, sort_order=len(expected) + 1)
        ts = fields.now_ms() - 1_000_000 + 1000 * len(expected)
        EntryCrossingFactory.create(entry=field.entry, control=control.pk, ts=ts, before_ts=ts, after_ts=ts)
        watch_all(field)
        assert kinds() == expected


def test_silence_and_then_a_late_burst(field: Field) -> None:
    for n in range(5):
        field.fix(700 + n, n * -50, speed=60.0)
    watch_all(field)
    assert kinds() == ["silent"]
    for ago in range(690, 0, -30):
        field.fix(ago, (690 - ago) * 10, speed=36.0)
    watch_all(field)
    assert acts(Alert.objects.get()) == ["raised", "over"]


def test_silence_where_others_lost_their_network_is_a_notice_until_it_lasts(field: Field) -> None:
    other = EntryFactory.create(event=field.event)
    Alert.objects.create(
        event=field.event, entry=other, kind="silent", severity=2, since=0, latitude=fields.LAT, longitude=fields.LON,
        raised_at=timezone.now(), cleared_at=timezone.now(), closed_at=timezone.now(),
    )  # fmt: skip
    field.fix(700)
    watch_all(field)
    alert = Alert.objects.get(entry=field.entry)
    assert (alert.severity, alert.note) == (1, "no-coverage")
    SafetySettings.objects.create(event=field.event, no_coverage_seconds=650)
    watch_all(field)
    alert.refresh_from_db()
    assert alert.severity == 2 and acts(alert) == ["raised", "worsened"]


def test_a_crew_over_its_time_is_overdue_and_a_finish_ends_it() -> None:
    field = fields.build(maximum_duration_seconds=1800)
    field.fix(1, 0, speed=50.0)
    watch_all(field)
    assert kinds() == ["overdue"]
    field.result.status = "finished"
    field.result.save()
    watch_all(field)
    assert Alert.objects.get().cleared_at is not None


def test_panic_is_critical_whatever_the_crew_is_doing(field: Field) -> None:
    field.result.delete()
    field.fix(1, priority=2)
    for _ in range(2):
        watch_all(field)
    alert = Alert.objects.get()
    assert (alert.kind, alert.severity, acts(alert)) == ("panic", 3, ["raised"])
    with connection.cursor() as cursor:
        cursor.execute("select entry_id, payload ->> 'kind' from domain_events where kind = 'alert.raised'")
        assert cursor.fetchall() == [(field.entry.pk, "panic")]


def test_panic_without_a_place_is_an_alert_too(field: Field) -> None:
    field.fix(1, priority=2, satellites=0)
    watch_all(field)
    assert Alert.objects.get(kind="panic").latitude is None


def test_the_look_alone_finds_a_panic_the_stream_has_lost(field: Field) -> None:
    field.fix(3600, priority=2)  # an hour old, only now uploaded: late news is news
    look(str(field.event.pk))
    assert "panic" in kinds()


def test_the_look_leaves_alone_what_an_alert_has_taken_in_already(field: Field) -> None:
    """Else a look at a field of many presses would keep the next one waiting."""
    event = str(field.event.pk)
    field.fix(60, priority=2)
    assert len(queries.panics(event)) == 1
    look(event)
    assert queries.panics(event) == []
    field.fix(30, priority=2)
    assert len(queries.panics(event)) == 1
    look(event)
    services.close(officer(field), Alert.objects.get(kind="panic"), "pressed by mistake")
    assert queries.panics(event) == []
    pass_(3600)
    fields.carry(field, "356093000000309")
    field.fix(90, imei="356093000000309", priority=2)  # pressed before, on another tracker, come only now
    assert "356093000000309" in {window.device for window in queries.panics(event)}


def test_a_closed_panic_stays_closed_until_the_button_is_pressed_again(field: Field) -> None:
    field.fix(30, priority=2)
    watch_all(field)
    services.close(officer(field), Alert.objects.get(kind="panic"), "pressed by mistake")
    pass_(-1)
    watch_all(field)
    assert "panic" not in kinds()
    pass_(20)
    field.fix(900, imei="356093000000301", priority=2)  # a press before, that had no network then
    watch_all(field)
    assert "panic" in kinds()


def test_a_shock_is_a_warning_and_critical_once_the_car_stands(field: Field) -> None:
    field.fix(2, speed=80.0, decoded={"crash_detection": 1})
    watch_all(field)
    alert = Alert.objects.get()
    assert (alert.kind, alert.severity) == ("crash", 2)
    field.stand(185)
    watch_all(field)
    alert.refresh_from_db()
    assert alert.severity == 3 and kinds() == ["crash", "stopped"]


def test_a_tilt_is_over_when_the_car_is_upright(field: Field) -> None:
    for ago in (30, 20, 10):
        field.fix(ago, decoded={"eye_roll_1": 85})
    watch_all(field)
    alert = Alert.objects.get(kind="tilt")
    assert acts(alert) == ["raised"]
    services.close(officer(field), alert, "on its side, crew out")
    watch_all(field)
    field.fix(5, decoded={"eye_roll_1": 86})
    watch_all(field)
    assert "tilt" not in kinds()  # the same tilt, told and closed
    field.fix(4, decoded={"eye_roll_1": 3})
    watch_all(field)
    field.fix(3, decoded={"eye_roll_1": 90})
    watch_all(field)
    assert "tilt" in kinds()


def test_a_stop_that_was_closed_is_not_raised_again_while_it_lasts(field: Field) -> None:
    field.stand(200)
    watch_all(field)
    services.close(officer(field), Alert.objects.get(), "puncture, crew well")
    watch_all(field)
    assert kinds() == []
    pass_(13 * 3600)
    watch_all(field)
    assert kinds() == ["stopped"]


def test_nobody_is_alerted_of_the_past(field: Field) -> None:
    field.event.starts_at, field.event.ends_at = (timezone.now() - timedelta(days=d) for d in (9, 8))
    field.event.save()
    field.fix(1, priority=2)
    watch_all(field)
    assert not Alert.objects.exists()


def test_a_second_tracker_that_moves_is_the_crew_moving(field: Field) -> None:
    fields.carry(field, "356093000000302")
    field.stand(300)
    for ago in range(300, 0, -10):
        field.fix(ago, -ago * 20, imei="356093000000302", speed=70.0)
    watch_all(field)
    assert kinds() == []


def test_what_nobody_acknowledges_escalates(field: Field) -> None:
    field.fix(1, priority=2)
    watch_all(field)
    pass_(181)
    watch_all(field)
    alert = Alert.objects.get()
    assert (alert.state, acts(alert)) == ("escalated", ["raised", "escalated"])
    watch_all(field)
    assert len(acts(alert)) == 2


def test_officials_acknowledge_hand_over_and_close(field: Field) -> None:
    field.fix(1, priority=2)
    watch_all(field)
    alert, first, second = Alert.objects.get(), officer(field), officer(field, "marshal")
    services.acknowledge(first, alert)
    services.acknowledge(second, alert)
    services.hand_over(first, alert, second)
    services.note(second, alert, "on the phone")
    services.escalate(second, alert, "helicopter")
    with pytest.raises(ValidationError):
        services.close(second, alert, " ")
    services.close(second, alert, "crew well")
    alert.refresh_from_db()
    assert (alert.acknowledged_by, alert.owner, alert.closed_by, alert.state) == (first, second, second, "closed")
    assert acts(alert) == ["raised", "acknowledged", "handed-over", "noted", "escalated", "closed"]
    assert AuditEntry.objects.filter(table="alert_lines", event=field.event).count() == 6
    with pytest.raises(ValidationError):
        services.note(first, alert, "too late")


def test_nobody_else_acts_on_an_alert(field: Field) -> None:
    field.fix(1, priority=2)
    watch_all(field)
    alert = Alert.objects.get()
    for stranger in (UserFactory.create(), officer(field, "viewer"), officer(field, "participant")):
        with pytest.raises(PermissionDenied):
            services.acknowledge(stranger, alert)
        with pytest.raises(PermissionDenied):
            close_stage(stranger, field.stage)
        with pytest.raises(ValidationError):
            services.hand_over(officer(field), alert, stranger)
    assert AlertLine.objects.count() == 1


def test_a_stage_stays_open_while_anybody_is_unaccounted_for(field: Field) -> None:
    director = officer(field)
    missing = EntryFactory.create(event=field.event, race_number=302, race_class=field.entry.race_class)
    EntrySegmentStartFactory.create(entry=missing, segment=field.segment)
    field.fix(1, priority=2)
    watch_all(field)
    Alert.objects.update(stage=field.stage)
    with pytest.raises(ValidationError) as refused:
        close_stage(director, field.stage)
    sentences = refused.value.messages
    assert "301" in sentences[0] and "302" in sentences[1] and "301" in sentences[2]
    with pytest.raises(ValidationError):
        account_for(director, field.stage, field.entry, "")
    account_for(director, field.stage, field.entry, "towed to the bivouac")
    account_for(director, field.stage, missing, "engine, never left the bivouac")
    services.close(director, Alert.objects.get(), "pressed by mistake")
    closed = close_stage(director, field.stage)
    assert close_stage(director, field.stage) == closed
    reopen_stage(director, field.stage, "one was seen at CP 3")
    assert not StageClosing.objects.filter(reopened_at=None).exists()
    with pytest.raises(ValidationError):
        reopen_stage(director, field.stage, "again")


@pytest.mark.django_db(transaction=True)
def test_a_watch_reads_what_is_announced_and_forgets_nothing_it_did_not_finish(field: Field, redis: Redis) -> None:
    dead, alive = (Watch(redis, name, 10) for name in ("dead", "alive"))
    dead.prepare()
    fix = field.fix(1, priority=2)
    stream.announce(redis, [(field.imei, fix.ts, fix.ts)])
    stream.request(redis, "course", event_id=str(field.event.pk))
    redis.xreadgroup("safety", "dead", {stream.REQUESTS_STREAM: ">"})
    alive._look_at = float("inf")  # the announcement alone
    alive._group.ensure()
    redis.xclaim(
        stream.REQUESTS_STREAM,
        "safety",
        "dead",
        0,
        [m.id for m in stream.entries(redis, stream.REQUESTS_STREAM)],
        idle=60_000,
    )
    alive.step()
    assert kinds() == ["panic"]
    assert redis.xpending(stream.REQUESTS_STREAM, "safety")["pending"] == 0


@pytest.mark.parametrize("model", ["FMB920", "FMB003", "FMC130"])
def test_shock_and_tilt_come_from_the_published_io_mapping(model: str) -> None:
    """Raw IO elements as the tracker sends them, decoded by the seeded mapping, raise both alerts."""
    seed_io_mappings()
    field = fields.build()
    Device.objects.filter(imei=field.imei).update(model=DeviceModel.objects.get(name=model))
    raw = field.fix(3, attributes={"247": 6, "10832": 65_451, "10816": 3})  # -85 degrees, as two bytes
    [text] = AttributeDecoder()([raw])
    field.fix(2, attributes=raw.attributes, decoded=orjson.loads(text or ""))
    watch_all(field)
    assert kinds() == ["crash", "tilt"]
