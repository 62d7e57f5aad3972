"""How near the pipeline comes to the limit: python benchmarks/ingest.py [--quick] [--json]

One run, one machine, the same records: (a) binary COPY of rows that cannot conflict, which is the limit,
(b) the real processor from the stream to the acknowledgement, one process and two, (c) reading the stream alone.
It empties `positions` between runs, so it works on servers of its own alone, in a directory that goes away, whatever
DATABASE_URL and REDIS_URL say.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import msgspec  # noqa: E402
import psycopg  # noqa: E402
import redis  # noqa: E402

from apps.common import embedded, stream  # noqa: E402
from apps.common.position import Position, instant  # noqa: E402
from benchmarks.records import chunks  # noqa: E402

RECORDS, QUICK = 1_000_000, 100_000
STREAM = "bench:t"
COPY = (
    "copy positions (device_id, ts, latitude, longitude, altitude, angle, speed,"
    " satellites, priority, codec, attributes) from stdin (format binary)"
)
TYPES = ("text", "timestamptz", "float8", "float8", "float4", "float4", "float4", "int2", "int2", "text", "jsonb")


@dataclass(frozen=True, slots=True)
class Run:
    """One measurement of the pipeline; CPU of the processors alone, their start included."""

    rps: float
    cpu_s_per_million: tuple[float, ...]
    peak_mib: float


@dataclass(frozen=True, slots=True)
class Report:
    records: int
    copy_rps: float
    drain_rps: float
    pipeline1_rps: float
    pipeline2_rps: float
    pipeline1_to_copy: float
    pipeline2_to_copy: float
    cpu_s_per_million: tuple[tuple[float, ...], ...]
    peak_mib: float


def copy_limit(database: str, count: int) -> float:
    """Records a second of binary COPY; making the rows is not timed."""
    seen: set[tuple[str, int]] = set()
    copied, seconds = 0, 0.0
    with psycopg.connect(database, autocommit=True) as connection:
        for part in chunks(count):
            fresh = {(p.device_id, p.ts): p for p in part if (p.device_id, p.ts) not in seen}
            seen.update(fresh)
            rows = [row(p) for p in fresh.values()]
            begin = time.perf_counter()
            copy(connection, rows)
            seconds += time.perf_counter() - begin
            copied += len(rows)
    return copied / seconds


def copy(connection: psycopg.Connection, rows: Sequence[tuple[object, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(COPY) as target:
        target.set_types(TYPES)
        for values in rows:
            target.write_row(values)


def row(p: Position) -> tuple[object, ...]:
    return (
        p.device_id, instant(p.ts), p.latitude, p.longitude, p.altitude, p.angle, p.speed,
        p.satellites, p.priority, p.codec, msgspec.json.encode(p.attributes).decode(),
    )  # fmt: skip


def fill(client: redis.Redis, count: int) -> None:
    for part in chunks(count):
        stream.send(client, STREAM, part)


def drain_limit(client: redis.Redis, count: int) -> float:
    """Records a second of reading and acknowledging, nothing else."""
    reader = stream.Group(client, STREAM, "drain", "one")
    reader.ensure()
    begin = time.perf_counter()
    while messages := reader.read(1000, 1):
        reader.ack([message.id for message in messages])
    return count / (time.perf_counter() - begin)


def pipeline(client: redis.Redis, urls: embedded.Urls, count: int, processes: int) -> Run:
    """The real command, as many times as asked, from the first read to the last acknowledgement."""
    empty(urls)
    client.delete(STREAM, stream.dead_letters(STREAM), stream.REQUESTS_STREAM)
    fill(client, count)
    group = stream.Group(client, STREAM, stream.PROCESSOR_GROUP, "watch")
    group.ensure()
    children = [processor(urls, f"bench-{n}") for n in range(processes)]
    wait(children, lambda: has_begun(client))
    begin = time.perf_counter()
    wait(children, lambda: group.lag() == 0)
    seconds = time.perf_counter() - begin
    peak = max(peak_mib(child.pid) for child in children)
    usages = [end(child) for child in children]
    check(client, urls, count)
    cpu = tuple(round((usage.ru_utime + usage.ru_stime) * 1e6 / count, 1) for usage in usages)
    return Run(count / seconds, cpu, peak)


def peak_mib(pid: int) -> float:
    """The most memory the process held. Not its ru_maxrss: that begins with what this one held at the fork."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def has_begun(client: redis.Redis) -> bool:
    info: Any = client.xinfo_groups(STREAM)
    return bool(info[0]["entries-read"])


def processor(urls: embedded.Urls, name: str) -> "subprocess.Popen[bytes]":
    settings = {"REDIS_TELEMETRY_STREAM": STREAM, "INSTANCE_ID": name, "METRICS_PORT": "0", "LOG_LEVEL": "ERROR"}
    return subprocess.Popen([sys.executable, "manage.py", "run_processor"], cwd=ROOT, env=environment(urls) | settings)


def environment(urls: embedded.Urls) -> dict[str, str]:
    return os.environ | {"DATABASE_URL": urls.database, "REDIS_URL": urls.redis}


def wait(children: Sequence["subprocess.Popen[bytes]"], condition: Callable[[], bool]) -> None:
    while not condition():
        if any(child.poll() is not None for child in children):
            raise SystemExit("a processor ended by itself")
        time.sleep(0.005)


def end(child: "subprocess.Popen[bytes]") -> resource.struct_rusage:
    """Stop the process; what it used."""
    child.terminate()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return usage


def check(client: redis.Redis, urls: embedded.Urls, count: int) -> None:
    """A figure counts only when each record is stored, once."""
    wanted = {(p.device_id, p.ts) for part in chunks(count) for p in part}
    with psycopg.connect(urls.database) as connection:
        stored = connection.execute("select count(*) from positions").fetchone()
    if stored != (len(wanted),) or client.exists(stream.dead_letters(STREAM)):
        raise SystemExit(f"{stored} positions are stored, {len(wanted)} were sent")


def empty(urls: embedded.Urls) -> None:
    with psycopg.connect(urls.database, autocommit=True) as connection:
        connection.execute("truncate positions")


def measure(urls: embedded.Urls, count: int) -> Report:
    command = [sys.executable, "manage.py", "prepare_database", "--verbosity=0"]
    subprocess.run(command, cwd=ROOT, env=environment(urls), check=True)
    empty(urls)
    copy_rps = copy_limit(urls.database, count)
    with stream.connect(urls.redis) as client:
        one, two = pipeline(client, urls, count, 1), pipeline(client, urls, count, 2)
        drain_rps = drain_limit(client, count)
    return Report(
        records=count,
        copy_rps=round(copy_rps),
        drain_rps=round(drain_rps),
        pipeline1_rps=round(one.rps),
        pipeline2_rps=round(two.rps),
        pipeline1_to_copy=round(one.rps / copy_rps, 2),
        pipeline2_to_copy=round(two.rps / copy_rps, 2),
        cpu_s_per_million=(one.cpu_s_per_million, two.cpu_s_per_million),
        peak_mib=round(max(one.peak_mib, two.peak_mib), 1),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK:,} records instead of {RECORDS:,}")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="trm-bench-") as directory, embedded.servers(Path(directory)) as urls:
        report = asdict(measure(urls, QUICK if options.quick else RECORDS))
    if options.json:
        print(json.dumps(report))
        return
    for name, value in report.items():
        print(f"{name:20} {value}")


if __name__ == "__main__":
    main()
