"""Decoding again: as the mapping says now, the raw bag untouched, gone on with after a kill."""

import os
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from apps.catalog.factories import DeviceFactory, DeviceModelFactory, IoMappingFactory
from apps.catalog.management.commands.backfill_decoded import EARLIEST, LATEST
from apps.catalog.models import Device, DeviceModel, IoMapping
from apps.common.position import Position, iso
from apps.telemetry import backfill
from apps.telemetry.queries import write_positions

ROOT = Path(__file__).resolve().parents[3]
T0 = 1_780_819_200_000
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_backfills() -> None:
    sql("truncate decoding_backfills restart identity")


def sql(statement: str, *values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall()) if cursor.description else []


def stored(device: Device, total: int, first: int = 0) -> None:
    """Positions a second apart, with an element 66 in the bag; decoded as nothing."""
    rows = [
        Position(device.imei, T0 + n * 1000, 41.0, 20.0, satellites=9, attributes={"66": 12_000 + n, "x": "1"})
        for n in range(first, first + total)
    ]
    write_positions(rows, ["{}"] * total)


def mapped(scale: float = 0.001) -> Device:
    """A tracker of a model of its own."""
    model = DeviceModelFactory(name=f"FMB{DeviceModel.objects.count()}")
    IoMappingFactory(device_model=model, io_id="66", name="External Voltage", scale=scale)
    device: Device = DeviceFactory(model=model)
    return device


def decoded() -> list[Any]:
    return [row[0] for row in sql("select decoded_attributes::text from positions order by device_id, ts")]


def run(*words: str) -> str:
    out = StringIO()
    call_command("backfill_decoded", *words, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_it_decodes_by_the_mapping_as_it_is_now_and_leaves_the_bag_alone() -> None:
    device = mapped()
    stored(device, 3)
    before = sql("select device_id, ts, attributes::text, ingested_at, latitude from positions order by ts")
    assert "3 positions decoded again, 3 of them to something else." in run("--device", device.imei)
    assert len(set(decoded())) == 3 and "12.002" in decoded()[2]
    assert sql("select device_id, ts, attributes::text, ingested_at, latitude from positions order by ts") == before
    assert "3 positions decoded again, 0 of them" in run("--device", device.imei)


def test_only_the_devices_and_the_time_it_was_told() -> None:
    one, other = mapped(), mapped(scale=1)
    stored(one, 5)
    stored(other, 5)
    shown = run("--model", one.model.name, "--from", iso(T0 + 1000), "--until", iso(T0 + 3000))
    assert "3 positions decoded again, 3" in shown
    changed = sql(
        "select device_id, extract(epoch from ts)::bigint * 1000 from positions where decoded_attributes <> '{}'"
    )
    assert sorted(changed) == [(one.imei, T0 + n * 1000) for n in (1, 2, 3)]


def test_a_device_without_mapping_any_more_has_nothing_decoded() -> None:
    device = mapped()
    stored(device, 2)
    IoMapping.objects.all().delete()
    run("--all")
    assert set(decoded()) <= {None, "{}"}


def test_it_goes_on_where_it_was_after_sigkill() -> None:
    """Several batches over two devices; none is done twice, none is left out."""
    one, other = mapped(), mapped()
    stored(one, 4000)
    stored(other, 4000)
    d = connection.settings_dict
    url = f"postgres://{d['USER']}:{d['PASSWORD']}@{d['HOST']}:{d['PORT']}/{d['NAME']}"
    words = [sys.executable, "manage.py", "backfill_decoded", "--all", "--rate", "4000"]
    process = subprocess.Popen(words, cwd=ROOT, env=os.environ | {"DATABASE_URL": url}, stdout=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while not (rows := backfill.unfinished()) or rows[0].seen < 2000:
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.02)
    with pytest.raises(CommandError, match="another process is at backfill 1"):
        run("--resume", "1")
    process.send_signal(signal.SIGKILL)
    process.wait()
    held = (
        "select 1 from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()"
        " and database = (select oid from pg_database where datname = current_database())"
    )
    while sql(held):
        time.sleep(0.02)  # the server has yet to find out
    broken_off = backfill.find(1)
    assert 2000 <= broken_off.seen < 8000 and not broken_off.finished
    assert "1: 2 trackers" in run("--unfinished")
    assert "8000 positions decoded again, 8000 of them" in run("--resume", "1", "--rate", "0")
    assert backfill.find(1).finished and run("--unfinished") == ""
    assert len(set(decoded())) == 4000 and "{}" not in decoded()


def test_it_keeps_to_its_rate() -> None:
    device = mapped()
    stored(device, 2500)
    pauses: list[float] = []
    work = backfill.begin([device.imei], EARLIEST, LATEST)
    assert list(backfill.run(work, lambda ps: [None] * len(ps), 100.0, pauses.append)) == [1000, 1000, 500]
    assert [round(p) for p in pauses] == [10, 10, 5]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "say which trackers"),
        (["--device", "356093000000009"], "no tracker in the catalogue: 356093000000009"),
        (["--model", "FMX"], "no tracker in the catalogue: FMX"),
        (["--resume", "77"], "there is no backfill 77"),
        (["--rate", "-1"], "--rate"),
    ],
)
def test_what_is_wrong_is_said(words: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        run(*words)
