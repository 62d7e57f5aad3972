"""The policy's functions on single rows: what the matrix of tests/ does not say in words."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from apps.accounts import policy
from apps.accounts.factories import OrganizationFactory, OrganizationUserFactory, UserFactory
from apps.accounts.models import Organization, OrganizationUser, Role, User
from apps.accounts.rights import forget, remembering, rights_of
from apps.catalog.factories import DeviceFactory, OrganizationDeviceFactory, OrganizationVehicleFactory, VehicleFactory
from apps.catalog.models import Device, Vehicle
from apps.course.factories import StageFactory
from apps.events.factories import EntryCrewFactory, EntryFactory, EventFactory, RaceClassFactory
from apps.events.models import Entry, EntryCrew, Event
from apps.penalties.factories import EntryPenaltyFactory
from apps.penalties.models import EntryPenalty
from apps.scoring.factories import StageResultFactory
from apps.timing.factories import EntryCrossingFactory, EntrySegmentStartFactory, TimingRecordFactory
from apps.timing.models import EntryCrossing, EntrySegmentStart, TimingRecord

pytestmark = pytest.mark.django_db

Member = Callable[[str, Organization], User]


def member(role: str, organization: Organization, **fields: Any) -> User:
    user: User = OrganizationUserFactory(role=role, organization=organization, **fields).user
    return user


def private_event(**fields: Any) -> Event:
    event: Event = EventFactory(is_public=False, **fields)
    return event


def test_a_director_changes_entries_of_the_own_organization_only() -> None:
    mine, theirs = EntryFactory(event=private_event()), EntryFactory(event=private_event())
    director = member("race-director", mine.event.organization)
    assert policy.may(director, "change", mine)
    assert not policy.may(director, "change", theirs)
    assert list(policy.visible(director, Entry.objects.all())) == [mine]


@pytest.mark.parametrize("role", Role.values)
def test_whole_organizations_are_those_whose_rows_are_visible(role: str) -> None:
    """Lists are read by them; a member of two organizations may be something else in each."""
    mine, second, theirs = (TimingRecordFactory(entry=EntryFactory(event=private_event())) for _ in range(3))
    user = member(role, mine.entry.event.organization)
    OrganizationUserFactory(user=user, organization=second.entry.event.organization, role="viewer")
    for model in (Event, Entry, TimingRecord, Vehicle, OrganizationUser, Organization):
        whole = policy.whole_organizations(user, model)
        if whole is not None:
            lookup, ids = whole
            found = model._default_manager.filter(**{lookup: ids})
            assert set(found) == set(policy.visible(user, model._default_manager.all(), public=False)), model
    assert policy.whole_organizations(user, Entry) is not None
    assert (policy.whole_organizations(user, TimingRecord) is None) is (role == "participant")
    assert policy.whole_organizations(user, Vehicle) is None
    assert not Entry.objects.filter(pk=theirs.entry_id, event__organization__in=rights_of(user).roles).exists()


def test_a_refusal_says_what_was_refused() -> None:
    entry = EntryFactory(event=private_event())
    with pytest.raises(PermissionDenied, match="You may not change: entries"):
        policy.require(member("viewer", entry.event.organization), "change", entry)


def test_what_the_table_does_not_know_is_an_error_and_not_a_permission() -> None:
    with pytest.raises(LookupError, match="'teleport' on 'entries'"):
        policy.may(AnonymousUser(), "teleport", Entry)
    with pytest.raises(LookupError, match="weather"):
        policy.may(AnonymousUser(), "view", "weather")


@pytest.mark.parametrize(
    ("hours_from_start", "hours_from_end", "allowed"),
    [(-3, None, False), (-1, None, True), (1, None, True), (None, 1, True), (None, 3, False)],
)
def test_a_marshal_acts_only_while_the_event_is_active(
    hours_from_start: int | None, hours_from_end: int | None, allowed: bool, settings: Settings
) -> None:
    """The margin of settings counts on both sides."""
    settings.EVENT_ACTIVE_MARGIN_HOURS = 2
    now = datetime.now(UTC)
    starts = now - timedelta(hours=hours_from_start) if hours_from_start else now - timedelta(days=9)
    ends = now - timedelta(hours=hours_from_end) if hours_from_end else now + timedelta(days=9)
    event = private_event(starts_at=starts, ends_at=ends)
    marshal = member("marshal", event.organization)
    assert policy.may(marshal, "flag_faulty", event) is allowed
    assert policy.may(marshal, "add", TimingRecord(entry=EntryFactory(event=event))) is allowed
    assert policy.may(member("timekeeper", event.organization), "record_time", event)


def test_a_participant_sees_own_times_and_nobody_elses() -> None:
    own, other = EntryFactory(event=private_event()), EntryFactory(event=private_event())
    other = EntryFactory(event=own.event, race_class=own.race_class)
    rider = member("participant", own.event.organization)
    EntryCrewFactory(entry=own, user=rider)
    mine, theirs = EntryCrossingFactory(entry=own), EntryCrossingFactory(entry=other)
    assert list(policy.visible(rider, EntryCrossing.objects.all())) == [mine]
    assert policy.may(rider, "view", mine)
    assert not policy.may(rider, "view", theirs)


def test_a_participant_reads_all_of_the_own_result_and_public_fields_of_others() -> None:
    own = EntryFactory(event=private_event())
    other = EntryFactory(event=own.event, race_class=own.race_class)
    rider = member("participant", own.event.organization)
    EntryCrewFactory(entry=own, user=rider)
    mine, theirs = StageResultFactory(entry=own), StageResultFactory(entry=other)
    assert {"rank", "outcome", "inputs_hash"} <= policy.fields(rider, mine)
    assert "rank" in policy.fields(rider, theirs)
    assert not {"outcome", "inputs_hash"} & policy.fields(rider, theirs)


def test_personal_fields_never_leave_the_organization() -> None:
    link = EntryCrewFactory(entry=EntryFactory(event=EventFactory(is_public=True)))
    organization = link.entry.event.organization
    private = {"phone", "birth_date", "email"}
    assert private <= policy.fields(member("marshal", organization), link.user)
    for outsider in (AnonymousUser(), UserFactory(), member("org-admin", OrganizationFactory())):
        assert policy.fields(outsider, link.user) == {"id", "first_name", "last_name", "nationality"}
    assert not private & policy.fields(member("viewer", organization), link.user)
    assert not private & policy.fields(member("participant", organization), link.user)


def test_the_imei_is_for_officials() -> None:
    device = OrganizationDeviceFactory()
    assert "imei" in policy.fields(member("marshal", device.organization), device.device)
    assert not policy.fields(member("viewer", device.organization), device.device)
    assert not policy.fields(member("org-admin", OrganizationFactory()), device.device)


def test_nobody_reads_a_password() -> None:
    root = User.objects.create_superuser("root@example.org", "x")
    assert "password" not in policy.fields(root, root)


def test_an_org_admin_cannot_make_a_superuser() -> None:
    link = OrganizationUserFactory()
    admin = member("org-admin", link.organization)
    assert policy.may(admin, "change", link.user)
    assert "first_name" in policy.writable(admin, link.user)
    assert not {"is_superuser", "groups", "user_permissions", "password"} & policy.writable(admin, link.user)


def test_a_row_of_two_organizations_is_read_by_both_and_written_by_neither_alone() -> None:
    vehicle = VehicleFactory()
    one, two = (OrganizationVehicleFactory(vehicle=vehicle).organization for _ in range(2))
    admin = member("org-admin", one)
    assert policy.may(admin, "view", vehicle)
    assert not policy.may(admin, "change", vehicle)
    OrganizationUserFactory(user=admin, organization=two, role="org-admin")
    assert policy.may(admin, "change", vehicle)


def test_a_user_of_two_organizations_is_listed_once_and_edits_the_own_profile() -> None:
    user = member("marshal", OrganizationFactory())
    OrganizationUserFactory(user=user)
    assert list(policy.visible(user, User.objects.filter(pk=user.pk))) == [user]
    assert policy.may(user, "change", user)


def test_a_suspended_membership_ends_all_rights_at_once() -> None:
    entry = EntryFactory(event=private_event())
    link = OrganizationUserFactory(organization=entry.event.organization, role="org-admin")
    assert policy.may(link.user, "change", entry)
    with connection.cursor() as cursor:  # by raw SQL: no signal, no cache, no group is asked
        cursor.execute("update organization_users set suspended = true where id = %s", [link.id])
    assert not policy.may(link.user, "view", entry)
    assert not policy.visible(link.user, Entry.objects.all()).exists()


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_superuser": False}])
def test_an_old_user_object_does_not_keep_rights(change: dict[str, bool]) -> None:
    """A socket holds its user object for hours: what the database says now is what counts."""
    root = User.objects.create_superuser("root@example.org", "x")
    entry = EntryFactory(event=private_event())
    assert policy.may(root, "change", entry)
    User.objects.filter(pk=root.pk).update(**change)
    assert not policy.may(root, "change", entry)


def test_a_deleted_membership_is_forgotten_within_a_request_when_told() -> None:
    link = OrganizationUserFactory(role="org-admin")
    with remembering():
        assert policy.may(link.user, "change", link.organization)
        OrganizationUser.objects.all().delete()
        forget()
        assert not policy.may(link.user, "change", link.organization)


def test_a_request_asks_for_memberships_once() -> None:
    entry = EntryFactory(event=private_event())
    user = member("race-director", entry.event.organization)
    loaded = Entry.objects.select_related("event").get(pk=entry.pk)
    with remembering(), CaptureQueriesContext(connection) as queries:
        for _ in range(100):
            assert policy.may(user, "change", loaded)
            assert policy.fields(user, loaded)
    assert len(queries) == 1


def test_a_list_of_a_restricted_role_is_one_query() -> None:
    event = private_event()
    race_class = RaceClassFactory(event=event)
    for _ in range(5):
        EntryFactory(event=event, race_class=race_class)
    user = member("marshal", event.organization)
    with CaptureQueriesContext(connection) as queries:
        assert len(policy.visible(user, Entry.objects.all())) == 5
    assert len(queries) == 2


def test_a_reference_into_another_organization_is_found() -> None:
    entry, foreign = EntryFactory(event=private_event(), vehicle=None), EventFactory()
    director = member("race-director", entry.event.organization)
    registered = OrganizationVehicleFactory(organization=entry.event.organization)
    entry.vehicle = registered.vehicle
    assert policy.strays(director, entry) == {}
    entry.race_class = RaceClassFactory(event=foreign)
    assert policy.strays(director, entry) == {"race_class": "It belongs to another organization."}


def test_an_event_cannot_be_given_to_another_organization() -> None:
    event = private_event()
    admin = member("org-admin", event.organization)
    event.organization = OrganizationFactory()
    assert not policy.may(admin, "change", event)


def test_a_vehicle_cannot_be_seen_by_naming_its_id() -> None:
    """The way in would be a row of one's own that refers to it."""
    link = EntryCrewFactory(entry=EntryFactory(event=private_event(), vehicle=None))
    director = member("race-director", link.entry.event.organization)
    link.entry.vehicle = VehicleFactory()
    assert list(policy.strays(director, link.entry)) == ["vehicle"]
    link.user = UserFactory()
    assert list(policy.strays(director, link)) == ["user"]


def test_global_rows_are_read_by_members_and_written_by_none() -> None:
    kind = DeviceFactory().model
    assert policy.may(member("marshal", OrganizationFactory()), "view", kind)
    assert not policy.may(member("org-admin", OrganizationFactory()), "change", kind)
    assert not policy.may(UserFactory(), "view", kind)


def test_new_vehicles_are_for_those_who_register_them() -> None:
    organization = OrganizationFactory()
    director = member("race-director", organization)
    assert policy.may(director, "add", Vehicle(make="KTM", model="690"))
    assert not policy.may(member("marshal", organization), "add", Device(imei="356093000000001"))
    assert policy.organizations_where(director, "add", Vehicle) == {organization.id}


def test_an_event_of_no_rows_yet_can_be_asked_about() -> None:
    event = private_event()
    assert policy.may(member("race-director", event.organization), "add", Entry, event=event)
    assert not policy.may(member("race-director", OrganizationFactory()), "add", Entry, event=event)
    assert policy.may(member("viewer", event.organization), "view", "positions", event=event)
    assert not policy.may(AnonymousUser(), "view", "positions", event=event)


def test_spectators_of_positions_get_no_identifier() -> None:
    event = EventFactory(is_public=True)
    assert not {"device_id", "attributes"} & policy.fields(AnonymousUser(), "positions", event=event)
    assert "device_id" in policy.fields(member("marshal", event.organization), "positions", event=event)
    assert "device_id" not in policy.fields(UserFactory(), "positions", event=event)


def test_audiences_are_told_of_results_as_late_as_the_event_says() -> None:
    """Lists of rows open no way around the delay of boards: what is told late is there for officials and its crew."""
    event = EventFactory(is_public=True, public_delay_seconds=600)
    now = datetime.now(UTC)
    Event.objects.filter(pk=event.pk).update(starts_at=now - timedelta(hours=2), ends_at=now + timedelta(hours=2))
    entry = EntryFactory(event=event)
    rows = [StageResultFactory(entry=entry), EntryPenaltyFactory(entry=entry, stage=StageFactory(event=event))]
    rows.append(EntrySegmentStartFactory(entry=entry, actual_at=now))
    crew = member("participant", event.organization)
    EntryCrewFactory(entry=entry, user=crew)
    for told, user in (
        (False, AnonymousUser()),
        (False, member("viewer", event.organization)),
        (False, member("participant", event.organization)),
        (True, crew),
        (True, member("marshal", event.organization)),
    ):
        assert [_seen(user, row) for row in rows] == [told] * 3, user
    Event.objects.filter(pk=event.pk).update(ends_at=now - timedelta(minutes=11))
    EntryPenalty.objects.update(created_at=now - timedelta(minutes=11))
    EntrySegmentStart.objects.update(actual_at=now - timedelta(minutes=11))
    assert [_seen(AnonymousUser(), row) for row in rows] == [True] * 3


def _seen(user: Any, row: Any) -> bool:
    """The same by itself and in a list."""
    row = type(row).objects.get(pk=row.pk)
    listed = policy.visible(user, type(row).objects.filter(pk=row.pk)).exists()
    assert policy.may(user, "view", row) == listed, row
    return listed


def test_topics_follow_the_table() -> None:
    event = private_event()
    assert policy.subscribable(member("viewer", event.organization), f"event:{event.id}", event)
    assert not policy.subscribable(UserFactory(), f"leaderboard:{event.id}", event)
    assert not policy.subscribable(member("org-admin", event.organization), "weather:1", event)


def test_a_crew_hangs_on_its_entry() -> None:
    entry = EntryFactory(event=private_event())
    assert policy.may(member("race-director", entry.event.organization), "add", EntryCrew, inside=entry)
    assert not policy.may(member("race-director", OrganizationFactory()), "add", EntryCrew, inside=entry)
    assert not policy.may(member("marshal", entry.event.organization), "add", EntryCrew, inside=entry)


def test_a_timing_record_is_never_changed() -> None:
    record = TimingRecordFactory()
    assert not policy.may(member("org-admin", record.entry.event.organization), "change", record)
