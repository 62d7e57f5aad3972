"""A person goes, their results stay, and a published revision still verifies and says that names were erased."""

from datetime import date, timedelta
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, models, transaction
from django.utils import timezone
from redis import Redis

from apps.accounts.factories import UserFactory
from apps.accounts.models import User
from apps.archive.personal import FREE_TEXTS, NAMELESS, REPLACED
from apps.events.factories import EntryCrewFactory
from apps.events.models import Event
from apps.safety.factories import AlertFactory, AlertLineFactory
from apps.scoring import snapshot
from apps.scoring.models import ResultRevision, StageResult
from apps.scoring.revisions import Publication, publish, verify
from apps.scoring.tests import rally
from apps.scoring.tests.pipes import race

ADDRESS = "arta.zymeri@example.org"
TEXTS = (models.CharField, models.TextField, models.JSONField)
PERSONAL = ("Zymeri", ADDRESS, "+355 69 1234567", "1971-02-03")


@pytest.fixture
def log_begins(transactional_db: None) -> int:
    """The log outlives every test: what others have left in it is older than this."""
    with connection.cursor() as cursor:
        cursor.execute("select coalesce(max(id), 0) from audit_log")
        [(last,)] = cursor.fetchall()
    return int(last)


@pytest.fixture
def namesake() -> str:
    return "Arta Zymeri"


@pytest.fixture
def person(
    log_begins: int, namesake: str, redis: Redis, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> User:
    """Crew of 301 in a rally that is over and published, with a namesake in the crew of 302."""
    monkeypatch.setattr(snapshot, "SETTLED", timedelta(0))
    built = rally.build()
    Event.objects.filter(id=built.event.id).update(ends_at=timezone.now() - timedelta(days=1))
    user = UserFactory(
        first_name="Arta", last_name="Zymeri", email=ADDRESS, phone="+355 69 1234567", birth_date=date(1971, 2, 3)
    )
    first, _, last = namesake.partition(" ")
    EntryCrewFactory(entry=built.entries[0], user=user)
    EntryCrewFactory(entry=built.entries[1], user=UserFactory(first_name=first, last_name=last))
    race(redis, built)
    publish(Publication(built.event, "provisional"), user)
    return user


def erase() -> str:
    out = StringIO()
    call_command("erase_person", ADDRESS, "--reason", "asked by letter 12", "--yes", stdout=out)
    return out.getvalue()


def test_the_results_stay_and_the_revision_verifies(person: User) -> None:
    before = ResultRevision.objects.get()
    hashes = sorted(StageResult.objects.values_list("inputs_hash", "total_ms", "rank"))
    said = erase()
    assert "1 revisions" in said
    after = ResultRevision.objects.get()
    assert after.hash == before.hash
    assert after.snapshot["results"] == before.snapshot["results"]
    crews = sorted(entry["crew"] for entry in after.snapshot["printed"]["entries"].values() if entry["crew"])
    assert crews == ["Arta Zymeri", f"Person {str(person.pk)[:8]}"]  # the namesake keeps the name
    assert verify(after) == []
    [erasure] = after.erasures
    assert (erasure["was"], erasure["became"]) == (before.hash, snapshot.digest(after.snapshot))
    assert sorted(StageResult.objects.values_list("inputs_hash", "total_ms", "rank")) == hashes


@pytest.mark.parametrize("namesake", ["Besa Hoxha"])
def test_nothing_personal_is_left_of_them_anywhere(person: User, log_begins: int) -> None:
    erase()
    with connection.cursor() as cursor:
        cursor.execute("select table_name from information_schema.tables where table_schema = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        for table in tables:
            for word in PERSONAL:
                since = f"and id > {log_begins}" if table == "audit_log" else ""
                cursor.execute(f"select count(*) from {table} t where strpos(t::text, %s) > 0 {since}", [word])
                [(count,)] = cursor.fetchall()
                assert count == 0, (table, word)
    erased = User.objects.get(pk=person.pk)
    assert (erased.is_active, erased.has_usable_password(), erased.phone, erased.birth_date) == (False, False, "", None)


def test_the_log_stays_append_only_and_revisions_final(person: User) -> None:
    erase()
    for statement in ("update audit_log set who = 'x'", "update result_revisions set hash = 'x'"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_erasing_cannot_change_a_line_of_the_results(person: User) -> None:
    """The door that lets names out lets nothing else through."""
    for change in (
        "snapshot = jsonb_set(snapshot, '{results,0,rank}', '9')",
        "hash = repeat('0', 64)",
        "snapshot = jsonb_set(snapshot, '{printed,event}', '\"x\"')",
    ):
        with pytest.raises(DatabaseError, match="is published"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("set local trm.erasing = 'on'")
            cursor.execute(f"update result_revisions set {change}")


def test_names_changed_by_anybody_else_are_noticed(person: User) -> None:
    erase()
    revision = ResultRevision.objects.get()
    revision.snapshot["printed"]["event"] = "Another"
    assert "the snapshot does not have the hash it was published with" in verify(revision)


def test_nobody_is_erased_while_they_ride(person: User) -> None:
    Event.objects.update(ends_at=timezone.now() + timedelta(days=1))
    with pytest.raises(CommandError, match="which is not over"):
        erase()
    assert User.objects.filter(email=ADDRESS).exists()


def test_every_text_column_is_erased_searched_or_nobodys() -> None:
    """A new column has to be put into one of the lists of `apps.archive.personal`, by who makes it."""
    nameless = {name for names in NAMELESS.values() for name in names}
    open_ = {
        f"{model._meta.db_table}.{field.column}"
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, TEXTS) and not isinstance(field, models.SlugField) and not field.choices
        and field.column not in nameless
        and field.column not in REPLACED.get(model._meta.db_table, ())
        and field.column not in FREE_TEXTS.get(model._meta.db_table, ())
    }  # fmt: skip
    assert open_ == set()


@pytest.mark.parametrize("namesake", ["Besa Hoxha"])
def test_free_words_that_hold_the_name_are_shown(person: User) -> None:
    alert = AlertFactory(reason="Arta Zymeri is well, says the marshal")
    line = AlertLineFactory(alert=alert, text="spoke with Arta Zymeri")
    said = erase()
    assert f"alerts {alert.pk}: reason" in said and f"alert_lines {line.pk}: text" in said
