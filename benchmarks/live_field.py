"""An event with crews under way, for those who watch it; and the process that shows it."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from apps.accounts.models import Organization
from apps.catalog.models import Device, DeviceModel
from apps.common.position import Position
from apps.events.models import Entry, EntryDevice, Event, RaceClass

ROOT = Path(__file__).resolve().parents[1]
START_LIMIT_S = 60


def build(crews: int) -> tuple[str, list[str]]:
    """A public event that runs; its id, and the IMEI that each crew carries."""
    now = datetime.now(UTC)
    organization = Organization.objects.create(name="Live", slug="live")
    event = Event.objects.create(
        organization=organization, name="Live", slug="live", is_public=True,
        starts_at=now - timedelta(hours=1), ends_at=now + timedelta(days=1),
    )  # fmt: skip
    race_class = RaceClass.objects.create(event=event, code="C-1", name="Cars")
    model = DeviceModel.objects.create(name="Live")
    imeis = [f"3560940000{n:05}" for n in range(crews)]
    for number, imei in enumerate(imeis, start=1):
        entry = Entry.objects.create(event=event, race_class=race_class, race_number=number)
        device = Device.objects.create(imei=imei, model=model)
        EntryDevice.objects.create(entry=entry, device=device, assigned_from=now - timedelta(hours=1))
    return str(event.id), imeis


def fix(imei: str, ts: int) -> Position:
    return Position(imei, ts, 41.327953, 19.818698, speed=64.5, angle=181.5, satellites=11)


@contextmanager
def web(application: str) -> Iterator[tuple[int, int]]:
    """One uvicorn process on a free port: (port, pid). Without compression, which would hide what is measured."""
    port = free_port()
    options = ["--lifespan", "off", "--log-level", "error", "--no-access-log", "--ws-per-message-deflate", "false"]
    options += ["--ws-ping-interval", "300", "--ws", "apps.live.wire_protocol:Wired"]
    with served([sys.executable, "-m", "uvicorn", application, "--port", str(port), *options], port) as pid:
        yield port, pid


@contextmanager
def served(command: Sequence[str], port: int) -> Iterator[int]:
    """The process of a web server that listens on `port`, once it answers; its pid."""
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ, start_new_session=True)  # as a service has
    try:
        _await(process, f"http://127.0.0.1:{port}/healthz")
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(process: subprocess.Popen[bytes], url: str) -> None:
    end = time.monotonic() + START_LIMIT_S
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the web process does not answer")
