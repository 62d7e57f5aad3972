"""Every record of the stream is in the files once: sorted, by day, documented; also after a crash at any point."""

import io
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fsspec
import pyarrow.parquet
import pytest
from redis import Redis

from apps.analytics import files, metrics, sinks
from apps.analytics.columns import POSITIONS
from apps.analytics.sinks import Files, Intent, Sink
from apps.analytics.worker import GROUP, Exporter, ExportPace
from apps.common import stream
from apps.common.position import Position

ROOT = Path(__file__).resolve().parents[3]
STREAM = "telemetry:t"
T0 = 1_780_819_200_000  # the first second of 2026-06-07, UTC, and 8 hours
HOUR = 3_600_000


def position(n: int) -> Position:
    """A device's fixes come in disorder, and over three days."""
    ts = T0 + (n * 7919 % 50) * HOUR + n
    bag = {"66": 12_000 + n, "x": "naïve \\"}
    return Position(f"35609300000{n % 7:04d}", ts, 41.5, 20.0, speed=50.0, satellites=9, attributes=bag)


def send(redis: Redis, total: int, first: int = 0) -> None:
    stream.send(redis, STREAM, [position(n) for n in range(first, first + total)])


def exporter(redis: Redis, sink: Sink, name: str = "one", most: int = 200, claim_ms: int = 200) -> Exporter:
    return Exporter(redis, [STREAM], name, sink, ExportPace(most, 0.2, 1, claim_ms))


def rows(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for file in sorted(folder.glob("day=*/*.parquet")):
        found += pyarrow.parquet.read_table(file, partitioning=None).to_pylist()
    return found


def check_once(folder: Path, total: int) -> None:
    held = Counter((row["device_id"], round(row["ts"].timestamp() * 1000)) for row in rows(folder))
    assert held == Counter((p.device_id, p.ts) for p in map(position, range(total)))
    assert list(folder.glob("_intents/*")) == [] and list(folder.rglob("*.part")) == []


def pending(redis: Redis) -> int:
    found: Any = redis.xpending(STREAM, GROUP)
    return int(found["pending"])


def test_files_by_day_sorted_and_documented(redis: Redis, tmp_path: Path) -> None:
    send(redis, 500)
    exporter(redis, Files(tmp_path.as_uri())).run_until_idle()
    check_once(tmp_path, 500)
    assert pending(redis) == 0
    for file in tmp_path.glob("day=*/*.parquet"):
        table = pyarrow.parquet.read_table(file, partitioning=None).to_pylist()
        assert {str(row["ts"].date()) for row in table} == {file.parent.name.removeprefix("day=")}
        assert table == sorted(table, key=lambda row: (row["device_id"], row["ts"]))
        schema = pyarrow.parquet.read_schema(file)
        assert [field.name for field in schema] == [column.name for column in POSITIONS]
        assert schema.field("speed").metadata[b"description"].startswith(b"km/h")
    assert "| ts | instant |" in (tmp_path / "DATA_DICTIONARY.md").read_text()
    first = next(row for row in rows(tmp_path) if row["attributes"] == '{"66":12000,"x":"naïve \\\\"}')
    assert (first["latitude"], first["satellites"], first["stream"]) == (41.5, 9, STREAM)


def test_any_store_of_fsspec_will_do(redis: Redis) -> None:
    send(redis, 20)
    exporter(redis, Files("memory://bucket/positions")).run_until_idle()
    memory = fsspec.filesystem("memory")
    files = memory.glob("/bucket/positions/day=*/*.parquet")
    total = sum(pyarrow.parquet.read_table(io.BytesIO(memory.cat_file(f))).num_rows for f in files)
    memory.rm("/bucket", recursive=True)
    assert total == 20


def test_a_record_that_is_no_position_is_left_to_the_processor(redis: Redis, tmp_path: Path) -> None:
    redis.xadd(STREAM, {"payload": "{"})
    send(redis, 3)
    exporter(redis, Files(str(tmp_path))).run_until_idle()
    check_once(tmp_path, 3)
    assert pending(redis) == 0


class CrashError(Exception):
    """The process ended here."""


class Breaking:
    """A sink whose process ends at the nth touch, before or after it took effect."""

    def __init__(self, sink: Files, at: int, *, after: bool) -> None:
        self._sink, self._left, self._after = sink, at, after

    def __getattr__(self, name: str) -> Any:
        act = getattr(self._sink, name)

        def call(*args: Any) -> Any:
            self._left -= 1
            if self._left == 0 and not self._after:
                raise CrashError(name)
            found = act(*args)
            if self._left == 0:
                raise CrashError(name)
            return found

        return call


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 11))
def test_a_crash_at_any_touch_of_the_store(redis: Redis, tmp_path: Path, at: int, after: bool) -> None:
    """prepare, intents, then intend, write, intend, forget twice: its next life finishes what it began."""
    send(redis, 400)
    broken: Any = Breaking(Files(str(tmp_path)), at, after=after)
    with pytest.raises(CrashError):
        exporter(redis, broken).run_until_idle()
    exporter(redis, Files(str(tmp_path))).run_until_idle()
    check_once(tmp_path, 400)
    assert pending(redis) == 0


def test_a_crash_between_the_files_of_a_batch(redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    send(redis, 100)
    made = []

    def parquet(*args: Any) -> bytes:
        made.append(1)
        if len(made) == 2:
            raise CrashError
        return real(*args)

    real = files.parquet
    with monkeypatch.context() as patch:
        patch.setattr(sinks, "parquet", parquet)
        with pytest.raises(CrashError):
            exporter(redis, Files(str(tmp_path))).run_until_idle()
    assert len(list(tmp_path.glob("day=*/*"))) == 1, "one of three was written"
    exporter(redis, Files(str(tmp_path))).run_until_idle()
    check_once(tmp_path, 100)


@pytest.mark.parametrize("at", [4, 5])
def test_another_one_finishes_what_a_dead_one_began(redis: Redis, tmp_path: Path, at: int) -> None:
    send(redis, 300)
    broken: Any = Breaking(Files(str(tmp_path)), at, after=at == 4)
    with pytest.raises(CrashError):
        exporter(redis, broken, "dead").run_until_idle()
    time.sleep(0.25)
    heir = exporter(redis, Files(str(tmp_path)), "heir")
    heir.run_until_idle()
    time.sleep(0.25)
    heir.step()
    heir.finish()
    check_once(tmp_path, 300)
    assert pending(redis) == 0


def test_a_slow_one_that_was_taken_for_dead_does_not_write_what_another_has_taken(redis: Redis, tmp_path: Path) -> None:
    send(redis, 50)
    slow, heir = (exporter(redis, Files(str(tmp_path)), name) for name in ("slow", "heir"))
    slow.prepare()
    slow.step()
    time.sleep(0.25)
    heir.prepare()
    heir._claim()
    slow.finish()
    heir.finish()
    check_once(tmp_path, 50)


def test_what_the_stream_has_lost_is_said_and_holds_nobody_up(redis: Redis, tmp_path: Path) -> None:
    send(redis, 10)
    broken: Any = Breaking(Files(str(tmp_path)), 4, after=False)
    with pytest.raises(CrashError):
        exporter(redis, broken).run_until_idle()
    redis.xtrim(STREAM, maxlen=4, approximate=False)
    before = metrics.LOST._value.get()
    exporter(redis, Files(str(tmp_path))).run_until_idle()
    assert len(rows(tmp_path)) == 4 and pending(redis) == 0
    assert metrics.LOST._value.get() - before == 6


class Noting(Files):
    """Notes how many records each batch has."""

    def prepare(self) -> None:
        super().prepare()
        self.sizes: list[int] = []

    def intend(self, intent: Intent) -> None:
        self.sizes.append(len(intent.ids))
        super().intend(intent)


def test_a_whole_batch_left_by_an_earlier_life_makes_the_next_no_larger(redis: Redis, tmp_path: Path) -> None:
    """It once read with a COUNT of 0, all there was: a night's backlog in memory at once."""
    send(redis, 700)
    earlier = stream.Group(redis, STREAM, GROUP, "one")
    earlier.ensure()
    earlier.read(200, 1)
    sink = Noting(tmp_path.as_uri())
    exporter(redis, sink, most=200).run_until_idle()
    check_once(tmp_path, 700)
    assert max(sink.sizes) == 200


@pytest.mark.slow
def test_the_command_killed_again_and_again(redis: Redis, redis_url: str, tmp_path: Path, db: None) -> None:
    total = 6000
    settings = {
        "ANALYTICS_URL": str(tmp_path), "ANALYTICS_BATCH_SIZE": "150", "READ_BLOCK_MS": "20", "REDIS_URL": redis_url,
        "ANALYTICS_FLUSH_MS": "100", "INSTANCE_ID": "a", "METRICS_PORT": "0",
    }  # fmt: skip

    def start() -> "subprocess.Popen[bytes]":
        words: Sequence[str] = [sys.executable, "manage.py", "run_analytics"]
        return subprocess.Popen(words, cwd=ROOT, env=os.environ | settings)

    send(redis, total)
    for _ in range(3):
        files, process = len(list(tmp_path.glob("day=*/*"))), start()
        end = time.monotonic() + 30
        while len(list(tmp_path.glob("day=*/*"))) < files + 15:
            assert time.monotonic() < end and process.poll() is None
            time.sleep(0.001)
        process.kill()
        process.wait()
    assert len(rows(tmp_path)) < total, "killed too late to prove anything"
    process, end = start(), time.monotonic() + 60
    while stream.Group(redis, STREAM, GROUP, "look").lag():
        assert time.monotonic() < end
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    check_once(tmp_path, total)
