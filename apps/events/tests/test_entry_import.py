"""Imports of entries: all or nothing, by race number, with a preview; what is exported is imported again."""

import random
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.factories import OrganizationUserFactory, UserFactory
from apps.accounts.models import OrganizationUser, User
from apps.catalog.factories import DeviceFactory
from apps.catalog.models import OrganizationDevice, OrganizationVehicle, Vehicle
from apps.common.bulk import Preview, Refused
from apps.common.sheets import read, write_csv, write_xlsx
from apps.events.entry_columns import names
from apps.events.entry_import import EntryImport, exported
from apps.events.factories import EntryDeviceFactory, EntryFactory, EventFactory, RaceClassFactory
from apps.events.models import Entry, EntryCrew, EntryDevice, Event

pytestmark = pytest.mark.django_db
IMEIS = ("356307042441013", "356307042441021", "356307042441039")
FILE = f"""\
race_number;class;team;vehicle_make;vehicle_model;vehicle_cc;crew_1_first_name;crew_1_last_name;crew_1_email;\
crew_1_birth_date;crew_2_first_name;crew_2_last_name;crew_2_role;device_1;device_2
301;C-2;Ekipi Shqiponja;Toyota;Land Cruiser 70;4500,0;Gëzim;Çela;Gezim@Example.org;31.05.1990;Arta;Hoxha;co-pilot;\
{IMEIS[0]};{IMEIS[1]}
302;c-2;;Yamaha;Ténéré 700;;Blerta;Gjoka;;;;;;{IMEIS[2]};
"""


@pytest.fixture
def event() -> Event:
    """An event to come, of an organization with three trackers."""
    event = EventFactory(starts_at=datetime(2099, 6, 6, tzinfo=UTC), ends_at=datetime(2099, 6, 14, tzinfo=UTC))
    RaceClassFactory(event=event, code="C-2")
    for imei in IMEIS:
        OrganizationDevice.objects.create(organization=event.organization, device=DeviceFactory(imei=imei))
    return event


@pytest.fixture
def director(event: Event) -> User:
    member: OrganizationUser = OrganizationUserFactory(organization=event.organization, role="race-director")
    return member.user


def bring(event: Event, user: User | None, text: str) -> Preview:
    return EntryImport(event, user).run(read("entries.csv", text.encode()), "From the secretary")


def reasons(event: Event, user: User | None, text: str) -> list[str]:
    """Why an import is refused; nothing is written by it."""
    before = (exported(event), User.objects.count(), Vehicle.objects.count(), EntryDevice.objects.count())
    with pytest.raises(Refused) as refusal:
        bring(event, user, text)
    assert (exported(event), User.objects.count(), Vehicle.objects.count(), EntryDevice.objects.count()) == before
    return [str(problem) for problem in refusal.value.problems]


def test_a_file_makes_entries_with_vehicle_crew_and_trackers(event: Event, director: User) -> None:
    done = bring(event, director, FILE)
    assert [change.kind for change in done.changes] == ["new", "new"]
    first = Entry.objects.get(event=event, race_number=301)
    assert (first.race_class.code, first.team, first.status, first.competing) == (
        "C-2", "Ekipi Shqiponja", "registered", True,
    )  # fmt: skip
    assert first.vehicle is not None and (first.vehicle.cc, first.vehicle.year) == (4500, None)
    assert OrganizationVehicle.objects.filter(vehicle=first.vehicle, organization=event.organization).exists()
    pilot, second = first.crew_links.order_by("created_at")
    assert (pilot.role, pilot.user.email, str(pilot.user.birth_date)) == ("pilot", "gezim@example.org", "1990-05-31")
    assert (second.role, second.user.get_full_name()) == ("co-pilot", "Arta Hoxha")
    assert not second.user.has_usable_password() and second.user.email.endswith(".invalid")
    assert [link.device.imei for link in first.device_links.order_by("priority")] == list(IMEIS[:2])


def test_the_same_file_again_changes_nothing(event: Event, director: User) -> None:
    bring(event, director, FILE)
    counts = (User.objects.count(), Vehicle.objects.count(), EntryCrew.objects.count())
    assert {change.kind for change in bring(event, director, FILE).changes} == {"same"}
    assert (User.objects.count(), Vehicle.objects.count(), EntryCrew.objects.count()) == counts


@pytest.mark.parametrize("write", [write_csv, write_xlsx])
def test_an_export_is_imported_again_here_and_elsewhere(event: Event, director: User, write: object) -> None:
    bring(event, director, FILE)
    told = [[cells.get(name, "") for name in names()] for cells in exported(event)]
    sheet = read("export", write(names(), told))  # type: ignore[operator]
    assert {change.kind for change in EntryImport(event, director).run(sheet, "again").changes} == {"same"}
    there = EventFactory(
        organization=event.organization,
        starts_at=datetime(2100, 6, 6, tzinfo=UTC), ends_at=datetime(2100, 6, 14, tzinfo=UTC),
    )  # fmt: skip
    RaceClassFactory(event=there, code="C-2")
    EntryImport(there, director).run(sheet, "next year")
    assert exported(there) == exported(event)


def test_a_second_file_changes_what_differs_and_shows_it(event: Event, director: User) -> None:
    bring(event, director, FILE)
    vehicle = Entry.objects.get(event=event, race_number=301).vehicle
    second = (
        "race_number,class,team,vehicle_cc,crew_2_first_name,crew_2_last_name\n301,C-2,Team Adria,4200,Drita,Leka\n"
    )
    preview = EntryImport(event, director).preview(read("x.csv", second.encode()))
    shown = {one.field: (one.old, one.new) for one in preview.changes[0].differences}
    assert shown["team"] == ("Ekipi Shqiponja", "Team Adria") and shown["vehicle_cc"] == ("4500", "4200")
    assert shown["crew_2_first_name"] == ("Arta", "Drita")
    assert Entry.objects.get(event=event, race_number=301).team == "Ekipi Shqiponja"
    bring(event, director, second)
    entry = Entry.objects.get(event=event, race_number=301)
    assert entry.team == "Team Adria" and entry.vehicle == vehicle and entry.vehicle is not None
    assert entry.vehicle.cc == 4200 and entry.vehicle.make == "Toyota"
    assert Entry.objects.get(event=event, race_number=302).team == ""
    assert sorted(link.user.first_name for link in entry.crew_links.all()) == ["Drita", "Gëzim"]


def test_an_empty_seat_leaves_the_crew_and_an_empty_cell_keeps_what_is_known_of_a_person(
    event: Event, director: User
) -> None:
    bring(event, director, FILE)
    head = "race_number,class,crew_1_first_name,crew_1_last_name,crew_1_email,crew_1_birth_date,crew_2_first_name"
    bring(event, director, f"{head},crew_2_last_name,crew_2_email\n301,C-2,Gëzim,Çela,,,,,\n")
    (only,) = Entry.objects.get(event=event, race_number=301).crew_links.all()
    assert only.user.email == "gezim@example.org" and str(only.user.birth_date) == "1990-05-31"


def test_a_file_that_names_nobody_takes_nobody_out_of_a_crew(event: Event, director: User) -> None:
    bring(event, director, FILE)
    before = exported(event)
    bring(event, director, "race_number,class,crew_1_email,crew_2_nationality\n301,C-2,,AL\n302,C-2,,\n")
    (changed, same), (old, _same) = exported(event), before
    assert same == before[1] and {**changed, "crew_2_nationality": ""} == old and changed["crew_2_nationality"] == "AL"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("x,C-2,,,,,,,", "row 2, race_number: “x” is no whole number"),
        ("0,C-2,,,,,,,", "row 2, race_number: 0 is not from 1"),
        (",C-2,,,,,,,", "row 2, race_number: it is empty"),
        ("99999999999,C-2,,,,,,,", "row 2, race_number: 99999999999 is not from"),
        ("301,Z-9,,,,,,,", "row 2, class: “Z-9” is none of C-2"),
        ("301,C-2,gone,,,,,,", "row 2, status: “gone” is none of registered"),
        (f"301,C-2,,{'x' * 101},,,,,", "row 2, team: Ensure this value has at most 100 characters"),
        ("301,C-2,,,Toyota,,,,", "row 2, vehicle_model: a vehicle needs it"),
        ("301,C-2,,,,,no-address,,", "row 2, crew_1_email: Enter a valid email address"),
        ("301,C-2,,,,,,31.05.1990,", "row 2, crew_1_first_name: say who this is"),
        ("301,C-2,,,,,,31.02.1990,", "row 2, crew_1_birth_date: “31.02.1990” is no day"),
        ("301,C-2,,,,,,,123", "row 2, device_1: 14 to 17 digits"),
        ("301,C-2,,,,,,,356307042449999", "row 2, device_1: no tracker 356307042449999 is registered"),
        ("301,C-2,,,,,,,\"3,56307E+14\"", "row 2, device_1: 3,56307E+14 was shortened by the spreadsheet"),
        ("301,C-2,,a\x07b,,,,,", "row 2, team: it holds control characters"),
        (f"301,C-2,,,,,,,{IMEIS[0]}\n301,C-2,,,,,,,", "row 3, race_number: 301 stands in row 2 already"),
        (f"301,C-2,,,,,,,{IMEIS[0]}\n302,C-2,,,,,,,{IMEIS[0]}", f"row 3, device_1: {IMEIS[0]} stands in row 2"),
    ],
)  # fmt: skip
def test_a_row_that_is_wrong_says_which_field_and_why(event: Event, director: User, row: str, reason: str) -> None:
    head = "race_number,class,status,team,vehicle_make,vehicle_model,crew_1_email,crew_1_birth_date,device_1"
    found = reasons(event, director, f"{head}\n{row}\n300,C-2,,,,,,,\n")
    assert len(found) == 1 and found[0].startswith(reason), found


def test_every_wrong_row_is_said_at_once_in_the_order_of_the_file(event: Event, director: User) -> None:
    found = reasons(event, director, "race_number,class\nx,C-2\n302,C-2\n303,?\n,C-2\n")
    assert [text.partition(",")[0] for text in found] == ["row 2", "row 4", "row 5"]


def test_a_misspelt_column_is_refused(event: Event, director: User) -> None:
    assert reasons(event, director, "race_number,class,teem\n1,C-2,x\n")[0].startswith("row 1, teem: unknown column")
    assert reasons(event, director, "race_number,team\n1,x\n")[0] == "row 1, class: this column is missing"


def test_a_tracker_with_another_entry_in_that_time_is_refused_and_two_may_swap(event: Event, director: User) -> None:
    bring(event, director, FILE)
    head = "race_number,class,device_1,device_2\n"
    taken = reasons(event, director, f"{head}302,C-2,{IMEIS[0]},\n")
    assert taken[0].startswith(f"row 2, device_1: {IMEIS[0]} is with number 301")
    bring(event, director, f"{head}302,C-2,{IMEIS[0]},\n301,C-2,{IMEIS[2]},{IMEIS[1]}\n")
    assert [cells["device_1"] for cells in exported(event)] == [IMEIS[2], IMEIS[0]]


def test_a_tracker_is_not_taken_away_by_a_file_once_the_event_has_begun(event: Event, director: User) -> None:
    bring(event, director, FILE)
    Event.objects.filter(pk=event.pk).update(starts_at=datetime(2020, 1, 1, tzinfo=UTC))
    event.refresh_from_db()
    found = reasons(event, director, "race_number,class,device_1\n302,C-2,\n")
    assert "end the assignment" in found[0]


def test_people_of_others_are_neither_taken_nor_renamed(event: Event, director: User) -> None:
    stranger = UserFactory(email="stranger@example.org", first_name="Luan")
    head = "race_number,class,crew_1_first_name,crew_1_last_name,crew_1_email\n"
    found = reasons(event, director, f"{head}301,C-2,Luan,Hoxha,stranger@example.org\n")
    assert "belongs to another organization" in found[0]
    member = OrganizationUserFactory(organization=event.organization, user=stranger, role="participant").user
    found = reasons(event, director, f"{head}301,C-2,Ylli,Hoxha,stranger@example.org\n")
    assert "you may not change the account" in found[0]
    bring(event, director, f"{head}301,C-2,Luan,{member.last_name},stranger@example.org\n")
    assert Entry.objects.get(event=event, race_number=301).crew.get() == stranger


def test_a_vehicle_of_two_entries_is_replaced_and_not_edited(event: Event, director: User) -> None:
    bring(event, director, FILE)
    entry = Entry.objects.get(event=event, race_number=301)
    other = EntryFactory(vehicle=entry.vehicle)
    bring(event, director, "race_number,class,vehicle_cc\n301,C-2,4200\n")
    entry.refresh_from_db()
    assert entry.vehicle is not None and entry.vehicle.cc == 4200 and entry.vehicle.make == "Toyota"
    assert Vehicle.objects.get(pk=other.vehicle_id).cc == 4500


@pytest.mark.parametrize("role", ["timekeeper", "marshal", "viewer", "participant"])
def test_who_may_not_import_cannot(event: Event, role: str) -> None:
    user = OrganizationUserFactory(organization=event.organization, role=role).user
    with pytest.raises(PermissionDenied):
        bring(event, user, FILE)
    stranger = OrganizationUserFactory(role="org-admin").user
    with pytest.raises(PermissionDenied):
        bring(event, stranger, FILE)


def test_every_change_is_in_the_audit_log_with_the_reason(event: Event, director: User) -> None:
    bring(event, director, FILE)
    log = audit_log("From the secretary")
    assert {"entries", "entry_crew", "entry_devices", "users", "vehicles"} <= {table for table, _door in log}


def audit_log(reason: str) -> set[tuple[str, str]]:
    """Table and door of what was changed for this reason (`apps.audit` stands above this app)."""
    with connection.cursor() as cursor:
        cursor.execute("select table_name, door from audit_log where reason = %s", [reason])
        return set(cursor.fetchall())


def field_of(count: int) -> str:
    rng = random.Random(6)
    lines = ["race_number,class,team,vehicle_make,vehicle_model,crew_1_first_name,crew_1_last_name,crew_1_email"]
    lines += [f"{n},C-2,Team {rng.randrange(99)},KTM,890,A{n},B{n},p{n}@example.org" for n in range(1, count + 1)]
    return "\n".join(lines)


def test_many_rows_take_the_queries_of_one(event: Event, director: User) -> None:
    bring(event, director, field_of(300))
    assert Entry.objects.filter(event=event).count() == 300
    assert queries(event, director, field_of(300)) <= queries(event, director, field_of(2)) + 1


def queries(event: Event, user: User, text: str) -> int:
    with CaptureQueriesContext(connection) as context:
        EntryImport(event, user).preview(read("x.csv", text.encode()))
    return len(context)


def test_the_command_says_what_changes_and_writes_only_without_dry_run(event: Event, tmp_path: Path) -> None:
    file, out = tmp_path / "entries.csv", StringIO()
    file.write_text(FILE)
    call_command("import_entries", event.slug, str(file), dry_run=True, stdout=out)
    assert "row 2: 301 new" in out.getvalue() and "2 would be new" in out.getvalue()
    assert not Entry.objects.filter(event=event).exists()
    call_command("import_entries", event.slug, str(file), stdout=out)
    assert Entry.objects.filter(event=event).count() == 2
    file.write_text("race_number,class\n1,?\n")
    with pytest.raises(CommandError, match="nothing was imported.\n  row 2, class"):
        call_command("import_entries", event.slug, str(file), stdout=out)
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_entries", event.slug, str(tmp_path / "gone.csv"), stdout=out)


def test_the_admin_shows_a_preview_and_imports_on_confirmation(event: Event, director: User, tmp_path: Path) -> None:
    client = Client()
    director.is_staff = True
    director.save()
    client.force_login(director)
    assert "/admin/events/entry/import/" in client.get("/admin/events/entry/").content.decode()
    assert "device_1" in client.get("/admin/events/entry/import/").content.decode()
    page = upload(client, event, FILE, tmp_path)
    assert "Ekipi Shqiponja" in page.content.decode() and not Entry.objects.filter(event=event).exists()
    token = page.context["confirm"].initial["token"]
    done = client.post("/admin/events/entry/import/", {"token": token, "reason": "Entries closed"}, follow=True)
    assert "2 new, 0 changed" in done.content.decode() and Entry.objects.filter(event=event).count() == 2
    assert ("entries", "admin") in audit_log("Entries closed")
    export = client.get(f"/admin/events/entry/export/{event.pk}.csv")
    again = upload(client, event, export.content.decode("utf-8"), tmp_path)
    assert "nothing to import" in again.content.decode()


def upload(client: Client, event: Event, text: str, folder: Path) -> Any:
    file = folder / "entries.csv"
    file.write_text(text)
    with file.open("rb") as opened:
        return client.post("/admin/events/entry/import/", {"target": str(event.pk), "file": opened})


def test_the_admin_shows_what_is_wrong_and_offers_no_import(event: Event, director: User, tmp_path: Path) -> None:
    client = Client()
    User.objects.filter(pk=director.pk).update(is_staff=True)
    client.force_login(director)
    page = upload(client, event, "race_number,class\n301,?\n", tmp_path).content.decode()
    assert "is none of C-2" in page and 'name="token"' not in page
    broken = upload(client, event, "", tmp_path).content.decode()
    assert "empty" in broken


def test_the_admin_refuses_what_the_role_may_not_and_a_token_of_others(event: Event, director: User) -> None:
    marshal = OrganizationUserFactory(organization=event.organization, role="marshal", user__is_staff=True).user
    client = Client()
    client.force_login(marshal)
    assert client.get("/admin/events/entry/import/").status_code == 403
    assert client.get(f"/admin/events/entry/export/{event.pk}.csv").status_code == 403
    director.is_staff = True
    director.save()
    client.force_login(director)
    client.post("/admin/events/entry/import/", {"token": "forged", "reason": ""})
    assert not Entry.objects.filter(event=event).exists()
    other = EntryDeviceFactory().entry.event
    assert client.get(f"/admin/events/entry/export/{other.pk}.csv").status_code == 403
