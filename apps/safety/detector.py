"""The watch: every fix that asks for help, and every second how each crew on a stage stands, become alerts.

A process of its own, so that an SOS never waits behind a rescore. It needs no viewer and remembers nothing: all it
knows is in the database, so it may be killed at any time, and several may run. Two sources:

- the announcements of the processor (stream `recompute:requests`, group `safety`): what single fixes say;
- a look at each event once a second, by one watch at a time: standing, silent, overdue; the last panic fix of each
  device too, should Redis have lost what was announced.

It takes no entry locks: those may be held by a long rescore. The outbox may so give an alert's event a lower id than
one committed before it; nothing is lost by that.
"""

import time
from collections.abc import Iterable, Sequence
from datetime import timedelta

import redis
import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from apps.common import stream
from apps.common.stream import Group, Message
from apps.safety import metrics, queries
from apps.safety.domain.watch import MOMENTARY, Crew, Finding, Kind, Limits, Place, Severity, is_over, judge, stands
from apps.safety.models import Alert, AlertAct, AlertLine, SafetySettings
from apps.safety.queries import Told
from apps.scoring.inputs import milliseconds
from apps.scoring.queries import Window, leading
from apps.scoring.worker import RequestError, parse

log = structlog.get_logger(__name__)

GROUP = "safety"
LOOK_EVERY_S = 1.0
CLAIM_EVERY_S = 10.0
AT_ONCE = 500
SEVERITY_OF = {Kind.PANIC: Severity.CRITICAL, Kind.CRASH: Severity.WARNING, Kind.TILT: Severity.WARNING}
HOLD_S = 60  # an alert nobody owns closes by itself when its condition has been over for so long


class Watch:
    """One consumer of the group `safety`."""

    def __init__(self, client: redis.Redis, consumer: str, block_ms: int) -> None:
        self._group = Group(client, stream.REQUESTS_STREAM, GROUP, consumer)
        self._block_ms = min(block_ms, int(LOOK_EVERY_S * 500))
        self._look_at = self._claim_at = 0.0

    def prepare(self) -> None:
        self._group.ensure()
        self._look_at = self._claim_at = 0.0

    def step(self) -> bool:
        """What was announced, and when it is time a look at every crew; True when anything was announced."""
        if time.monotonic() >= self._look_at:
            self._look()
        messages = self._claimed() or self._group.read(AT_ONCE, self._block_ms)
        hear(window for message in messages for window in _windows(message))
        self._group.ack([message.id for message in messages])
        return bool(messages)

    def run_until_idle(self) -> None:
        """Work off all there is: for tests."""
        self.prepare()
        while self.step():
            pass

    def finish(self) -> None:
        self._group.leave()

    def _claimed(self) -> list[Message]:
        """What a watch took that stood still."""
        if time.monotonic() < self._claim_at:
            return []
        self._claim_at = time.monotonic() + CLAIM_EVERY_S
        return self._group.claim_idle(int(CLAIM_EVERY_S * 1000), AT_ONCE)

    def _look(self) -> None:
        self._look_at = time.monotonic() + LOOK_EVERY_S
        with metrics.LOOK_SECONDS.time():
            for event in queries.events_on():
                with leading("safety", event) as leads:
                    if leads:
                        look(event)


def _windows(message: Message) -> list[Window]:
    """What was announced; a request of an official is the scorer's alone, and so is one nobody can read."""
    try:
        work = parse(message)
    except RequestError:
        return []
    return work if isinstance(work, list) else []


def hear(windows: Iterable[Window]) -> None:
    """Raise what the fixes of these windows ask for. Twice the same does nothing new."""
    for told in queries.said(list(windows)):
        if told.holds:
            _raise_told(told)
        else:
            _clear(Alert.objects.filter(entry_id=told.entry, kind=told.kind, cleared_at=None, fix_ts__lt=told.fix.ts))


def look(event: str) -> None:
    """Judge every crew of an event now, raise what is wrong, and end what is over."""
    setup = SafetySettings.objects.filter(event_id=event).first() or SafetySettings()
    limits, now = setup.limits(), milliseconds(timezone.now())
    hear(queries.panics(event))
    crews, dead = queries.crews(event, limits), queries.dead_places(event)
    found: set[tuple[str, str]] = set()
    for crew in crews:
        for finding in judge(crew, now, limits, dead):
            found.add((crew.entry, finding.kind.value))
            _raise(event, crew, finding)
    _end(event, {crew.entry: crew for crew in crews}, found, limits)
    _worsen(event, [crew for crew in crews if stands(crew, now, limits) is not None])
    _escalate(event, setup)
    _close_over(event)


def _raise_told(told: Told) -> None:
    finding = Finding(told.kind, SEVERITY_OF[told.kind], told.fix.ts, told.fix)
    _raise(told.event, Crew(told.entry), finding)


def _raise(event: str, crew: Crew, finding: Finding) -> None:
    with transaction.atomic():
        raised = queries.raise_alert(event, crew, finding, momentary=finding.kind in MOMENTARY)
        if raised is None:
            return
        if raised.fresh:
            _write(raised.id, AlertAct.RAISED, finding.note)
            metrics.RAISED.labels(finding.kind.value).inc()
            log.warning("alert", event_id=event, entry_id=crew.entry, kind=finding.kind.value)
        elif raised.worse:
            _write(raised.id, AlertAct.WORSENED, finding.note)
        elif raised.again or finding.kind in MOMENTARY:
            _write(raised.id, AlertAct.AGAIN)


def _end(event: str, crews: dict[str, Crew], found: set[tuple[str, str]], limits: Limits) -> None:
    """Mark what was neither found again nor only wavers. Closed ones too: they may be raised anew from then on."""
    for alert in Alert.objects.filter(event_id=event, cleared_at=None).exclude(kind__in=[k.value for k in MOMENTARY]):
        at = Place(alert.latitude, alert.longitude) if alert.latitude is not None and alert.longitude else None
        crew = crews.get(str(alert.entry_id))
        if (str(alert.entry_id), alert.kind) not in found and is_over(Kind(alert.kind), at, crew, limits):
            _clear(Alert.objects.filter(pk=alert.pk, cleared_at=None))


def _clear(alerts: QuerySet[Alert]) -> None:
    with transaction.atomic():
        for alert in alerts.select_for_update():
            alert.cleared_at = timezone.now()
            alert.save(update_fields=["cleared_at", "updated_at"])
            if alert.closed_at is None:
                _write(str(alert.pk), AlertAct.OVER)


def _worsen(event: str, standing: Sequence[Crew]) -> None:
    """A shock or a tilt, and then the car stands: somebody must go there (rulebook 9.4)."""
    hit = Alert.objects.filter(event_id=event, kind__in=[Kind.CRASH.value, Kind.TILT.value], closed_at=None)
    with transaction.atomic():
        worse = hit.filter(severity__lt=Severity.CRITICAL, entry__in=[crew.entry for crew in standing])
        for alert in worse.select_for_update():
            alert.severity = Severity.CRITICAL
            alert.save(update_fields=["severity", "updated_at"])
            _write(str(alert.pk), AlertAct.WORSENED)


def _escalate(event: str, setup: SafetySettings) -> None:
    if not setup.escalate_seconds:
        return
    waiting = Alert.objects.filter(
        event_id=event, closed_at=None, acknowledged_at=None, escalated_at=None, severity=Severity.CRITICAL,
        raised_at__lt=timezone.now() - setup.escalate_after,
    )  # fmt: skip
    with transaction.atomic():
        for alert in waiting.select_for_update():
            alert.escalated_at = timezone.now()
            alert.save(update_fields=["escalated_at", "updated_at"])
            _write(str(alert.pk), AlertAct.ESCALATED)


def _close_over(event: str) -> None:
    """What was over for a while and nobody's closes by itself."""
    over = Alert.objects.filter(
        event_id=event, closed_at=None, owner=None, cleared_at__lt=timezone.now() - timedelta(seconds=HOLD_S)
    )
    with transaction.atomic():
        for alert in over.select_for_update():
            alert.closed_at = timezone.now()
            alert.save(update_fields=["closed_at", "updated_at"])
            _write(str(alert.pk), AlertAct.CLOSED)


def _write(alert: str, act: AlertAct, text: str = "") -> None:
    AlertLine.objects.create(alert_id=alert, act=act, text=text)
