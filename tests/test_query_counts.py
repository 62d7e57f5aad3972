"""What every page of the admin asks of the database: literal counts, the same with 1 entry and with 300."""

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import User
from apps.timing.models import EntryCrossing
from tests.admin_world import World
from tests.test_admin import MODELS

DESK = (
    "stage", "trackers", "review", "safety", "results", "starts", "positions", "course", "decisions", "timing",
    "control", "commands",
)  # fmt: skip
SUPERUSERS = ("scoring.OutboxRow",)  # not for the officials of an organization

# Pages of the desk and of the log.
PAGES = {
    "desk stage": 29, "desk trackers": 11, "desk review": 18, "desk safety": 17, "desk results": 14,
    "desk starts": 26, "desk positions": 9, "desk course": 13, "desk decisions": 10, "desk timing": 12,
    "desk control": 16, "desk commands": 13, "tables": 7, "who": 6, "desk entry": 23, "desk crossing": 13,
    "desk positions of an entry": 14, "desk decision": 10, "desk overall": 12, "desk publish": 20,
    "entries import": 10, "devices import": 10, "audit list of alert lines": 12, "audit list of entries": 13,
}  # fmt: skip
# Of each table: its list, and the form of a row.
TABLES = {
    "accounts.User": (11, 13), "accounts.Organization": (10, 7), "accounts.OrganizationUser": (11, 10),
    "catalog.DeviceModel": (10, 8), "catalog.IoMapping": (12, 8), "catalog.Device": (11, 11),
    "catalog.Vehicle": (10, 10), "catalog.OrganizationVehicle": (10, 11), "catalog.OrganizationDevice": (10, 13),
    "events.Event": (10, 16), "events.RaceClass": (11, 9), "events.Entry": (12, 20), "course.Stage": (11, 11),
    "course.Segment": (11, 11), "course.Geofence": (11, 9), "course.Waypoint": (11, 11),
    "course.SpeedLimitZone": (11, 11), "timing.EntrySegmentStart": (11, 11), "timing.EntryCrossing": (11, 9),
    "timing.TimingRecord": (10, 10), "penalties.PenaltyFormula": (11, 9), "penalties.ProfileUse": (11, 9),
    "penalties.RuleAnswer": (11, 10), "penalties.EntryPenalty": (12, 12), "penalties.EntryIncident": (12, 12),
    "penalties.Decision": (11, 12), "racelog.RaceControlSettings": (10, 9), "racelog.LogLine": (12, 11),
    "timing.StartOverride": (12, 10), "timing.StartList": (12, 9), "scoring.StageResult": (12, 10),
    "scoring.EventResult": (11, 10), "scoring.ResultRevision": (10, 10), "scoring.OutboxRow": (7, 5),
    "commands.CommandText": (11, 8), "commands.Command": (11, 11), "safety.SafetySettings": (10, 9),
    "safety.Alert": (11, 12), "safety.AlertLine": (10, 11), "safety.Accounting": (10, 11),
    "safety.StageClosing": (10, 10), "integrations.Webhook": (11, 9), "integrations.Delivery": (11, 9),
    "integrations.DomainEvent": (11, 9), "live.Acknowledgement": (10, 10),
}  # fmt: skip
COUNTS = (
    PAGES
    | {f"{label} list": counts[0] for label, counts in TABLES.items()}
    | {f"{label} form": counts[1] for label, counts in TABLES.items()}
)


def pages(world: World) -> dict[str, str]:
    """Name → address."""
    office, entry = world.office, world.office.entries[0]
    crossing = world.rows[EntryCrossing][0]
    found = {f"desk {name}": office.page(name) for name in DESK}
    found |= {
        "tables": reverse("admin:tables"),
        "who": reverse("admin:who"),
        "desk entry": office.page("entry", entry.pk),
        "desk crossing": office.page("crossing", crossing.pk),
        "desk positions of an entry": office.page("positions", number=str(entry.race_number)),
        "desk control": office.page("timing", control=str(office.controls[2].pk)),
        "desk decision": office.page("decisions", make="set_status"),
        "desk overall": office.page("results", of="overall"),
        "desk publish": office.page("results", publish="unofficial"),
        "entries import": reverse("admin:events_entry_import"),
        "devices import": reverse("admin:catalog_device_import"),
        "audit list of alert lines": reverse("admin:audit_auditentry_changelist", query={"table": "alert_lines"}),
        "audit list of entries": reverse("admin:audit_auditentry_changelist", query={"table": "entries"}),
    }
    for model in MODELS:
        name, row = f"{model._meta.app_label}_{model._meta.model_name}", world.rows[model][0]
        found[f"{model._meta.label} list"] = reverse(f"admin:{name}_changelist")
        found[f"{model._meta.label} form"] = reverse(f"admin:{name}_change", args=[row.pk])
    return found


def _clients(world: World) -> tuple[Client, Client]:
    """Of the organization's administrator, and of a superuser."""
    mine, every = Client(), Client()
    mine.force_login(world.user)
    every.force_login(User.objects.create_superuser("root@example.org", "x"))
    return mine, every


def _asked(client: Client, address: str, *, warm: bool) -> int:
    """Queries of the page, with its plan and the kinds of rows remembered."""
    if warm:
        client.get(address)
    with CaptureQueriesContext(connection) as seen:
        answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return len(seen)


def test_every_page_asks_the_same_for_300_entries_as_for_one(db: None) -> None:
    world = World()
    mine, every = _clients(world)
    for count in (1, 300):
        world.grow(count)
        asked = {}
        for name, address in pages(world).items():
            client = every if name.partition(" ")[0] in SUPERUSERS else mine
            asked[name] = _asked(client, address, warm=count == 1 or name.startswith("desk"))
        assert asked == COUNTS, {name: n for name, n in asked.items() if COUNTS.get(name) != n}
