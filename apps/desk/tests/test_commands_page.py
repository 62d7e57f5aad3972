"""Commands from the desk: asked once more, sent to one or many, seen with their answers, withdrawn, never by others."""

import tempfile
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, expect

from apps.audit.models import AuditEntry
from apps.catalog.factories import DeviceFactory
from apps.catalog.models import DeviceModel, OrganizationDevice
from apps.catalog.services import seed_io_mappings
from apps.commands.allowed import seed_command_texts
from apps.commands.models import Command
from apps.desk.tests import office as offices
from apps.desk.tests.office import Office, official, signed_in
from apps.desk.tests.test_browser import desk as desk
from apps.desk.tests.test_browser import office as office_of_browser
from apps.desk.tests.test_browser import opened
from apps.events.factories import EntryDeviceFactory
from apps.events.models import EntryDevice
from apps.live.tests.server import WebServer

office = office_of_browser
DRAFT = {"numbers": "301-303", "which": "first", "text": "getinfo", "minutes": "60"}


def equip(office: Office) -> None:
    """Every tracker is an FMB920 of the organization; 301 has a worn FMB003, too."""
    seed_io_mappings()
    seed_command_texts()
    worn = DeviceFactory.create(model=DeviceModel.objects.get(name="FMB003"))
    EntryDeviceFactory.create(
        entry=office.entries[0], device=worn, assigned_from=office.event.starts_at, priority=2,
        assigned_user=official(office, "participant"),
    )  # fmt: skip
    for link in EntryDevice.objects.filter(entry__event=office.event).select_related("device"):
        if link.device_id != worn.pk:
            link.device.model = DeviceModel.objects.get(name="FMB920")
            link.device.save()
        OrganizationDevice.objects.get_or_create(organization=office.event.organization, device=link.device)


@pytest.fixture
def rally(db: None) -> Office:
    built = offices.build()
    equip(built)
    return built


def test_it_says_what_will_happen_and_sends_only_then(rally: Office) -> None:
    client, address = signed_in(rally, "race-director"), rally.page("commands")
    asked = client.post(address, DRAFT)
    assert "“getinfo” goes to 3 trackers: 301 (FMB920), 302 (FMB920), 303 (FMB920). At once" in asked.content.decode()
    assert not Command.objects.exists()
    client.post(address, DRAFT | {"confirmed": "1"})
    sent = Command.objects.all()
    assert len(sent) == 3 and len({command.batch for command in sent}) == 1
    assert AuditEntry.objects.filter(table="commands", row_id=str(sent[0].pk)).exists()
    Command.objects.filter(pk=sent[0].pk).update(state="responded", response="RTC: 10:00 <b>")
    page = client.get(address).content.decode()
    assert "RTC: 10:00 &lt;b&gt;" in page and "Withdraw what has not been sent" in page


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"numbers": "301", "which": "all"}, 2),
        ({"numbers": "301", "which": "worn"}, 1),
        ({"numbers": "*", "which": "all"}, 4),
        ({"numbers": "302, 303"}, 2),
    ],
)
def test_whom_it_goes_to(rally: Office, change: dict[str, str], expected: int) -> None:
    signed_in(rally, "org-admin").post(rally.page("commands"), DRAFT | change | {"confirmed": "1"})
    assert Command.objects.count() == expected


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"text": "setparam 2004:x"}, "may not be sent"),
        ({"numbers": "399"}, "No such tracker in this event: 399"),
        ({"numbers": "30x"}, "30x is no race number"),
        ({"numbers": "302", "which": "worn"}, "No such tracker in this event: 302"),
        ({"at": "25:99"}, "This is no time"),
        ({"minutes": "0"}, "greater than or equal to 1"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_goes_out(rally: Office, change: dict[str, str], says: str) -> None:
    page = signed_in(rally, "race-director").post(rally.page("commands"), DRAFT | change | {"confirmed": "1"})
    assert says in page.content.decode()
    assert not Command.objects.exists()


def test_a_scheduled_command_waits_and_can_be_withdrawn(rally: Office) -> None:
    client, address = signed_in(rally, "race-director"), rally.page("commands")
    later = timezone.now() + timedelta(hours=2)
    client.post(address, DRAFT | {"at": _clock(rally, later), "confirmed": "1"})
    commands = list(Command.objects.all())
    assert all(abs((command.not_before - later).total_seconds()) < 61 for command in commands)
    Command.objects.filter(pk=commands[0].pk).update(sent_at=timezone.now())
    client.post(address, {"act": "withdraw", "command": [str(command.pk) for command in commands]})
    assert sorted(Command.objects.values_list("state", flat=True)) == ["expired", "expired", "queued"]
    refused = client.post(address, {"act": "withdraw", "command": ["x"]}, follow=True)
    assert "Nothing is left to withdraw" in refused.content.decode()


def _clock(rally: Office, at: datetime) -> str:
    return timezone.localtime(at, ZoneInfo(rally.event.time_zone)).strftime("%H:%M")


@pytest.mark.parametrize("role", ["timekeeper", "marshal"])
def test_who_may_only_read_sends_nothing(rally: Office, role: str) -> None:
    client = signed_in(rally, role)
    assert b"Send a command" not in client.get(rally.page("commands")).content
    for data in (DRAFT | {"confirmed": "1"}, {"act": "withdraw"}):
        assert client.post(rally.page("commands"), data).status_code == 403
    assert not Command.objects.exists()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_director_sends_by_hand(desk: BrowserContext, web: WebServer, office: Office) -> None:
    equip(office)
    page = opened(desk, web.url + office.page("commands"))
    page.fill("#id_numbers", "301-303")
    page.fill("#id_text", "getinfo")
    page.click("text=Go on")
    expect(page.locator(".desk-note")).to_contain_text("goes to 3 trackers", timeout=20_000)
    page.click("button:has-text('Send')")
    expect(page.locator(".command-sent")).to_have_count(1, timeout=20_000)
    answered = Command.objects.order_by("created_at").first()
    assert answered is not None
    Command.objects.filter(pk=answered.pk).update(
        state="responded", response="INI:2026/11/21 8:00 RTC:2026/11/21 10:00"
    )
    expect(page.locator(".command-sent")).to_contain_text("RTC:2026", timeout=30_000)
    page.screenshot(path=f"{tempfile.gettempdir()}/commands-laptop.png")
    page.set_viewport_size({"width": 820, "height": 1180})
    page.screenshot(path=f"{tempfile.gettempdir()}/commands-tablet.png")
