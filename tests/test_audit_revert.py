"""Taking a change back: a new change, only while the row is as it was left, only by who may."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from apps.accounts.factories import OrganizationUserFactory, UserFactory
from apps.accounts.models import Role, User
from apps.audit.models import AuditEntry
from apps.audit.services import RevertError, revert
from apps.common.audit import acting
from apps.events.factories import EntryFactory, EventFactory, RaceClassFactory
from apps.events.models import Entry, RaceClass
from apps.timing.factories import TimingRecordFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create_superuser("admin@example.org", "x")


def last(row_id: Any) -> AuditEntry:
    return AuditEntry.objects.filter(row_id=str(row_id)).latest("id")


def test_a_change_is_taken_back_by_a_new_change(admin: User) -> None:
    entry = EntryFactory(team="A", race_number=301)
    Entry.objects.filter(pk=entry.pk).update(team="B", race_number=302)
    seen = Entry.objects.get(pk=entry.pk).updated_at
    with acting("admin", admin):
        revert(last(entry.pk), admin, "wrong entry")
    after = Entry.objects.get(pk=entry.pk)
    assert (after.team, after.race_number) == ("A", 301)
    assert after.updated_at > seen
    line = last(entry.pk)
    assert (line.old, line.new) == ({"team": "B", "race_number": 302}, {"team": "A", "race_number": 301})
    assert (line.user_id, line.door) == (admin.pk, "admin")
    assert line.reason.startswith("wrong entry (takes back #")


def test_every_type_of_column_comes_back_exactly(admin: User) -> None:
    event = EventFactory(source_priority=["gps", "card"], notes="a'b\\%s")
    was = {field.name: getattr(event, field.attname) for field in event._meta.concrete_fields}
    key = event.pk
    event.delete()
    revert(last(key), admin, "deleted by mistake")
    back = type(event).objects.get(pk=key)
    assert {field.name: getattr(back, field.attname) for field in back._meta.concrete_fields} == was


def test_what_was_made_is_deleted_and_comes_again(admin: User) -> None:
    row = RaceClassFactory()
    revert(last(row.pk), admin, "not needed")
    assert not RaceClass.objects.filter(pk=row.pk).exists()
    revert(last(row.pk), admin, "needed after all")
    assert RaceClass.objects.get(pk=row.pk).code == row.code


def test_a_later_change_is_not_overwritten(admin: User) -> None:
    entry = EntryFactory(team="A")
    Entry.objects.update(team="B")
    line = last(entry.pk)
    Entry.objects.update(team="C")
    with pytest.raises(RevertError, match="Changed again since then: team"):
        revert(line, admin, "x")
    assert Entry.objects.get(pk=entry.pk).team == "C"


def test_a_change_of_another_column_does_not_stand_in_the_way(admin: User) -> None:
    entry = EntryFactory(team="A")
    Entry.objects.update(team="B")
    line = last(entry.pk)
    Entry.objects.update(race_number=999)
    revert(line, admin, "x")
    assert (Entry.objects.get(pk=entry.pk).team, Entry.objects.get(pk=entry.pk).race_number) == ("A", 999)


def test_what_others_hang_on_is_not_deleted(admin: User) -> None:
    entry = EntryFactory()
    with pytest.raises(RevertError, match="Other rows hang on it by now: entries"):
        revert(last(entry.race_class_id), admin, "x")


def test_what_is_not_valid_any_more_stays(admin: User) -> None:
    entry = EntryFactory(race_number=1)
    Entry.objects.filter(pk=entry.pk).update(race_number=2)
    line = last(entry.pk)
    EntryFactory(event=entry.event, race_class=entry.race_class, race_number=1)
    with pytest.raises(RevertError, match="entries_number_once"):
        revert(line, admin, "x")
    assert Entry.objects.get(pk=entry.pk).race_number == 2


def test_evidence_and_secrets_are_never_taken_back(admin: User) -> None:
    record = TimingRecordFactory()
    with pytest.raises(RevertError, match="record another time"):
        revert(last(record.pk), admin, "x")
    user = UserFactory()
    user.set_password("new")
    user.save()
    with pytest.raises(RevertError, match="Secrets are not kept"):
        revert(last(user.pk), admin, "x")


def test_a_reason_is_needed(admin: User) -> None:
    entry = EntryFactory()
    with pytest.raises(RevertError, match="Say why"):
        revert(last(entry.pk), admin, "  ")


@pytest.mark.parametrize("role", [Role.MARSHAL, Role.VIEWER, Role.TIMEKEEPER])
def test_only_who_may_change_a_row_may_take_its_change_back(role: Role) -> None:
    entry = EntryFactory(team="A")
    Entry.objects.update(team="B")
    user = OrganizationUserFactory(organization=entry.event.organization, role=role).user
    with pytest.raises(PermissionDenied):
        revert(last(entry.pk), user, "x")
    assert Entry.objects.get(pk=entry.pk).team == "B"


def test_a_directors_own_organization_is_theirs_to_put_right() -> None:
    entry = EntryFactory(team="A")
    Entry.objects.update(team="B")
    home = OrganizationUserFactory(organization=entry.event.organization, role=Role.RACE_DIRECTOR).user
    stranger = OrganizationUserFactory(role=Role.ORG_ADMIN).user
    with pytest.raises(PermissionDenied):
        revert(last(entry.pk), stranger, "x")
    revert(last(entry.pk), home, "x")
    assert Entry.objects.get(pk=entry.pk).team == "A"
