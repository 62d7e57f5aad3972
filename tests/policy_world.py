"""Two organizations with a row of every table in events of every state, and a user of every role: for the matrix."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.test import Client

from apps.accounts.factories import OrganizationFactory, OrganizationUserFactory, SavedViewFactory, UserFactory
from apps.accounts.models import Comment, Organization, Role, User
from apps.accounts.policy_table import ANYONE
from apps.accounts.rights import AnyUser
from apps.audit.models import AuditEntry
from apps.catalog.factories import (
    DeviceModelFactory,
    IoMappingFactory,
    OrganizationDeviceFactory,
    OrganizationVehicleFactory,
)
from apps.commands import factories as commands
from apps.course import factories as course
from apps.events.factories import EntryCrewFactory, EntryDeviceFactory, EntryFactory, EventFactory
from apps.events.models import Entry, Event
from apps.integrations import factories as integrations
from apps.live.factories import AcknowledgementFactory
from apps.penalties import factories as penalties
from apps.penalties.models import ProfileUse, RuleAnswer
from apps.racelog import factories as racelog
from apps.rest.models import ApiToken, IdempotencyKey
from apps.safety import factories as safety
from apps.scoring import factories as scoring
from apps.scoring.models import EntryState, EventState
from apps.timing import factories as timing

DAY = timedelta(days=1)
# Days from now to the start and to the end; the margin of the settings is a day. The last is public.
STATES = {"before": (5, 9), "active": (-4, 4), "after": (-9, -5), "public": (-4, 4)}
ROLES = (*Role.values, ANYONE)


@dataclass(frozen=True, slots=True)
class Case:
    """A question: may somebody of this role, a member of the home organization, do this to that row?"""

    role: str
    resource: str  # "" for an act, which is asked of the event
    action: str
    home: bool
    state: str
    mine: bool = False

    def __str__(self) -> str:
        where = "own" if self.home else "another"
        whose = ", the user's own" if self.mine else ""
        return f"{self.role} {self.action} {self.resource} of {where} organization, event {self.state}{whose}"


@dataclass(frozen=True)
class World:
    users: dict[tuple[str, str], AnyUser]  # by role and state: a participant is of the crew of one event
    rows: dict[tuple[bool, str, bool], dict[str, Any]]  # by home, state, mine: a row of each table
    clients: dict[tuple[str, str], Client]  # of browsers, signed in

    def user(self, case: Case) -> AnyUser:
        return self.users[case.role, case.state]

    def client(self, case: Case) -> Client:
        return self.clients[case.role, case.state]

    def row(self, case: Case) -> Any:
        """The row in question; None for what has no table here."""
        return self.rows[case.home, case.state, case.mine].get(case.resource)

    def event(self, case: Case) -> Event:
        event: Event = self.rows[case.home, case.state, case.mine]["events"]
        return event


def build() -> World:
    home, other = OrganizationFactory(name="Home"), OrganizationFactory(name="Other")
    users: dict[tuple[str, str], AnyUser] = {(ANYONE, state): AnonymousUser() for state in STATES}
    rows = {}
    for state in STATES:
        links = {role: OrganizationUserFactory(organization=home, role=role) for role in Role.values}
        for role, link in links.items():
            link.user.is_staff = True
            link.user.save()
            users[role, state] = link.user
        event = _event(home, state)
        rows[True, state, True] = _rows(event, links[Role.PARTICIPANT].user)
        rows[True, state, True]["organization_users"] = links[Role.PARTICIPANT]
        rows[True, state, False] = _rows(event, UserFactory())
        rows[True, state, False]["organization_users"] = links[Role.ORG_ADMIN]
        rows[False, state, False] = _rows(_event(other, state), UserFactory())
        rows[False, state, False]["organization_users"] = OrganizationUserFactory(organization=other)
    return World(users, rows, {key: _client(user) for key, user in users.items()})


def _client(user: AnyUser) -> Client:
    client = Client()
    if isinstance(user, User):
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def _event(organization: Organization, state: str) -> Event:
    begin, end = STATES[state]
    now = datetime.now(UTC)
    event: Event = EventFactory(
        organization=organization, starts_at=now + begin * DAY, ends_at=now + end * DAY, is_public=state == "public"
    )
    return event


def _rows(event: Event, pilot: Any) -> dict[str, Any]:
    """One row of every table that belongs to the event, an entry of it, or its organization."""
    registered = OrganizationVehicleFactory(organization=event.organization)
    tracker = OrganizationDeviceFactory(organization=event.organization)
    entry: Entry = EntryFactory(event=event, vehicle=registered.vehicle)
    crew = EntryCrewFactory(entry=entry, user=pilot)
    rows = {
        "organizations": event.organization, "users": pilot, "vehicles": registered.vehicle,
        "organization_vehicles": registered, "devices": tracker.device, "organization_devices": tracker,
        "device_models": DeviceModelFactory(), "io_mappings": IoMappingFactory(),
        "events": event, "classes": entry.race_class, "entries": entry, "entry_crew": crew,
        "entry_devices": EntryDeviceFactory(entry=entry, device=tracker.device),
        "comments": Comment(organization=event.organization, author=pilot, table="entries", row="x", text="x"),
        "saved_views": SavedViewFactory(organization=event.organization, author=pilot),
        "audit_log": AuditEntry(id=0, organization=event.organization, event=event),
        "event_scoring_states": EventState(event=event), "entry_scoring_states": EntryState(entry=entry),
        "outbox": scoring.OutboxRowFactory(),
        "api_tokens": ApiToken(user=pilot), "idempotency_keys": IdempotencyKey(user=pilot),
    }  # fmt: skip
    return rows | _course_rows(event) | _entry_rows(entry, pilot) | _told_rows(event)


def _told_rows(event: Event) -> dict[str, Any]:
    alert = safety.AlertFactory(entry__event=event)
    webhook = integrations.WebhookFactory(organization=event.organization)
    told = integrations.DomainEventFactory(event=event)
    return {
        "webhooks": webhook,
        "domain_events": told,
        "commands": commands.CommandFactory(organization=event.organization),
        "command_texts": commands.CommandTextFactory(),
        "safety_settings": safety.SafetySettingsFactory(event=event),
        "alerts": alert,
        "alert_lines": safety.AlertLineFactory(alert=alert),
        "entry_accountings": safety.AccountingFactory(entry=alert.entry),
        "race_log": racelog.LogLineFactory(event=event),
        "race_control_settings": racelog.RaceControlSettingsFactory(event=event),
        "stage_closings": safety.StageClosingFactory(stage__event=event),
        "webhook_deliveries": integrations.DeliveryFactory(webhook=webhook, domain_event=told),
    }


def _course_rows(event: Event) -> dict[str, Any]:
    stage = course.StageFactory(event=event)
    segment = course.SegmentFactory(stage=stage)
    profile = {"event": event, "name": "fim", "version": "1"}
    return {
        "stages": stage,
        "segments": segment,
        "geofences": course.GeofenceFactory(event=event),
        "waypoints": course.WaypointFactory(segment=segment),
        "speed_limit_zones": course.SpeedLimitZoneFactory(segment=segment),
        "penalty_formulas": penalties.PenaltyFormulaFactory(event=event),
        "profile_uses": ProfileUse(**profile),
        "rule_answers": RuleAnswer(event=event, key="q1"),
        "start_lists": timing.StartListFactory(stage=stage, state="published", published_at=datetime.now(UTC)),
        "result_revisions": scoring.ResultRevisionFactory(event=event),
    }


def _entry_rows(entry: Entry, pilot: Any) -> dict[str, Any]:
    stage = course.StageFactory(event=entry.event)
    both = {"entry": entry, "stage": stage}
    return {
        "entry_segment_starts": timing.EntrySegmentStartFactory(
            entry=entry, segment=course.SegmentFactory(stage=stage)
        ),
        "start_overrides": timing.StartOverrideFactory(**both, author=pilot),
        "entry_crossings": timing.EntryCrossingFactory(entry=entry),
        "timing_records": timing.TimingRecordFactory(entry=entry),
        "entry_incidents": penalties.EntryIncidentFactory(**both, author=pilot),
        "decisions": penalties.DecisionFactory(**both, author=pilot),
        "acknowledgements": AcknowledgementFactory(entry=entry, author=pilot),
        "entry_penalties": penalties.EntryPenaltyFactory(**both),
        "stage_results": scoring.StageResultFactory(**both),
        "event_results": scoring.EventResultFactory(entry=entry),
    }
