"""Issue 6 for the tables: what is edited, drawn, imported or deleted is taken back from the audit log (see
`test_ways_back`), by the page to which the message after the act, or the row's history, leads."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.urls import reverse

from apps.audit.models import AuditEntry
from apps.catalog.factories import DeviceFactory
from apps.catalog.models import OrganizationDevice
from apps.common.audit import acting
from apps.course.models import Waypoint
from apps.desk.tests.ways_back_world import WHY, Step, World, scored
from apps.desk.tests.ways_back_world import built as built
from apps.desk.tests.ways_back_world import world as world
from apps.events.entry_import import exported
from apps.events.factories import RaceClassFactory
from apps.events.models import Entry, EntryDevice, RaceClass
from apps.penalties.models import PenaltyFormula
from apps.scoring.closing import Terms, set_closing_times
from tests.forms import sent

State = Callable[[World], Any]


@dataclass(frozen=True, slots=True)
class Edit:
    """`act` does it, whatever the page; `state` is what it changes."""

    name: str
    act: Callable[[World], None]
    state: State = scored


def form(world: World, row: Any, **changed: str) -> None:
    """Send a row's form in the admin as it is, but for what is changed."""
    address = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    fields = sent(world.client.get(address)) | {name: [value] for name, value in changed.items()}
    answer = world.client.post(address, fields | {"_save": ["Save"], "change_reason": ["bulletin 2"]})
    assert answer.status_code == 302, answer.content.decode()[:3000]


def deleted(world: World) -> None:
    row = RaceClassFactory.create(event=world.event, code="X")
    address = reverse("admin:events_raceclass_delete", args=[row.pk])
    asked = world.client.get(address).content.decode()
    assert "it can be taken back from there" in asked, "said before it is done"
    page = world.client.post(address, {"post": "yes", "change_reason": "not needed"}, follow=True)
    assert "Take it back" in page.content.decode()


def waypoint(world: World) -> None:
    shapes = world.client.get(Step("course").address(world)).context["data"]["shapes"]
    [point] = [one for one in shapes if one["label"] == "WPM 1000"]
    point |= {"coordinates": [[point["coordinates"][0][0], point["coordinates"][0][1] + 0.01]]}
    step = Step("course_save", {"shape": point, "reason": "bulletin 3", "sure": True}, as_json=True)
    assert step.sent(world, world.client).status_code == 200


def entries(world: World) -> None:
    code = world.entries[0].race_class.code
    lines = ("race_number,class,team,crew_1_first_name,crew_1_last_name,crew_1_role",
             f"301,{code},Shqiponja,Gëzim,Çela,pilot", f"399,{code},,Arta,Hoxha,pilot")  # fmt: skip
    imported(world, reverse("admin:events_entry_import"), str(world.event.pk), "\n".join(lines))


def devices(world: World) -> None:
    model = DeviceFactory.create().model.name
    text = f"imei,model\n356307042441013,{model}\n"
    imported(world, reverse("admin:catalog_device_import"), str(world.event.organization_id), text)


def imported(world: World, address: str, target: str, text: str) -> None:
    file = SimpleUploadedFile("file.csv", text.encode())
    preview = world.client.post(address, {"target": target, "file": file})
    assert preview.context.get("confirm"), preview.context.get("problems")
    done = world.client.post(address, {"token": preview.context["confirm"].initial["token"]}, follow=True)
    assert "Imported" in done.content.decode(), done.context.get("problems")
    link = re.search(r'href="(/admin/audit/auditentry/\d+/together/)"', done.content.decode())
    assert link, "the message leads to its way back"


def rules(world: World) -> None:
    with acting("rules", world.director):
        call_command("rules", world.event.slug, "--profile", "rally-albania", "--replace", verbosity=0)


def closings(world: World) -> None:
    query = {"stage": str(world.following.sort_order)}
    Step("starts", {"act": "publish"}, query).sent(world, world.client)
    with acting("rest", world.director):
        set_closing_times(world.following, Terms())


def penalty(world: World) -> None:
    form(world, PenaltyFormula.objects.get(event=world.event, type="missed_waypoint"), penalty="600")


def crew(world: World) -> Any:
    return [list(row.items()) for row in exported(world.event)], EntryDevice.objects.count()


def team(world: World) -> str:
    return Entry.objects.get(pk=world.entries[0].pk).team


EDITS = (
    Edit("an entry is edited", lambda w: form(w, w.entries[0], team="Ekipi"), team),
    Edit("an entry is withdrawn", lambda w: form(w, w.entries[0], status="withdrawn")),
    Edit("an entry goes to another class", lambda w: form(w, w.entries[0], race_class=str(w.entries[1].race_class_id))),
    Edit("a rule is edited", penalty),
    Edit("a waypoint is moved on the map", waypoint),
    Edit("a class is deleted", deleted, lambda w: RaceClass.objects.count()),
    Edit("entries are imported", entries, crew),
    Edit("devices are imported", devices, lambda w: OrganizationDevice.objects.count()),
    Edit("a rules profile is applied", rules),
    Edit("closing times are set", closings, lambda w: list(Waypoint.objects.values_list("pk", "closes_at"))),
)  # fmt: skip


@pytest.mark.django_db  # it also makes the test database, which the others have with a module's fixture
def test_every_edit_has_a_name_of_its_own() -> None:
    assert len({edit.name for edit in EDITS}) == len(EDITS)


@pytest.mark.parametrize("page", ["publish", "comment", "delete"])
def test_what_cannot_be_undone_says_so_before_it_is_done(world: World, page: str) -> None:
    entry, rule = world.entries[0].pk, PenaltyFormula.objects.filter(event=world.event)[0].pk
    address, says = {
        "publish": (Step("results", query={"publish": "unofficial"}).address(world), "It cannot be unpublished"),
        "comment": (Step("entry", args=(entry,)).address(world), "It stays, and is not edited"),
        "delete": (reverse("admin:penalties_penaltyformula_delete", args=[rule]), "The audit log keeps what they were"),
    }[page]
    assert says in world.client.get(address).content.decode()


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.name)
def test_an_edit_is_taken_back(world: World, edit: Edit) -> None:
    mark, results, state = AuditEntry.objects.latest("id").pk, scored(world), edit.state(world)
    edit.act(world)
    before = AuditEntry.objects.filter(pk__gt=mark, user=world.director).exclude(table="users")
    made = [line for line in before if not (line.action == "insert" and (line.new or {}).get("code") == "X")]
    assert edit.state(world) != state or "deleted" in edit.name
    address = reverse("admin:audit_auditentry_together", args=[before.latest("id").pk])
    if "deleted" in edit.name:
        address = reverse("admin:audit_auditentry_revert", args=[before.latest("id").pk])
        state = RaceClass.objects.count() + 1
    assert world.viewer.post(address, {"reason": WHY}).status_code in (302, 403, 404)
    refused = world.client.post(address, {"reason": ""})
    assert refused.status_code == 200, "a reason is asked for"
    answer = world.client.post(address, {"reason": WHY})
    assert answer.status_code == 302, answer.context["refusal"]
    assert edit.state(world) == state
    assert scored(world) == results
    last = AuditEntry.objects.latest("id")
    assert last.reason.startswith(WHY) and last.user_id == world.director.pk and made
