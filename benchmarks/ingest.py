"""How near the pipeline comes to the limit: python benchmarks/ingest.py [--quick] [--json]

One run, one machine, the same records: (a) binary COPY of rows that cannot conflict, which is the limit,
(b) the real processor from the stream to the acknowledgement, one process and two, (c) reading the stream alone,
(d) a consumer written the usual way, in JavaScript when Node.js and npm are there, else the same in Python,
(e) from the stream to the commit at 500 records a second.
It empties `positions` between runs, so it works on servers of its own alone, in a directory that goes away, whatever
DATABASE_URL and REDIS_URL say.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import msgspec  # noqa: E402
import psycopg  # noqa: E402
import redis  # noqa: E402

from apps.common import embedded, stream  # noqa: E402
from apps.common.position import Position, instant  # noqa: E402
from benchmarks.commit_latency import latency  # noqa: E402
from benchmarks.processes import (  # noqa: E402
    PROCESSOR,
    STREAM,
    check,
    cpu_s,
    empty,
    end,
    environment,
    has_begun,
    peak_mib,
    start,
    wait,
)
from benchmarks.records import chunks  # noqa: E402

RECORDS, QUICK = 1_000_000, 100_000
USUAL_RECORDS = 200_000  # the usual way takes its time
LATENCY_S, QUICK_LATENCY_S = 20, 5
COPY = (
    "copy positions (device_id, ts, latitude, longitude, altitude, angle, speed,"
    " satellites, priority, codec, attributes) from stdin (format binary)"
)
# jsonb goes as bytes: given text, psycopg would send a JSON string instead of the object.
TYPES = ("text", "timestamptz", "float8", "float8", "float4", "float4", "float4", "int2", "int2", "text", "bytea")
JSONB = b"\x01"


@dataclass(frozen=True, slots=True)
class Run:
    """One measurement of a consumer; CPU of the processes alone, without their start."""

    rps: float
    cpu_s_per_million: tuple[float, ...]
    peak_mib: float


@dataclass(frozen=True, slots=True)
class Report:
    """`_rps` records a second; `_to_` ratios; peak_mib of the processor that took most."""

    records: int
    copy_rps: int
    drain_rps: int
    pipeline1_rps: int
    pipeline2_rps: int
    usual_rps: int
    usual_way: str
    pipeline1_to_copy: float
    pipeline2_to_copy: float
    pipeline1_to_usual: float
    cpu_s_per_million: tuple[tuple[float, ...], ...]
    peak_mib: float
    latency_p50_ms: int
    latency_p99_ms: int


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
        p.satellites, p.priority, p.codec, JSONB + msgspec.json.encode(p.attributes),
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


def run(client: redis.Redis, urls: embedded.Urls, count: int, commands: Sequence[Sequence[str]]) -> Run:
    """Consumers side by side, from the first read to the last acknowledgement."""
    group = empty(urls, client)
    fill(client, count)
    children = [start(urls, f"bench-{n}", command) for n, command in enumerate(commands)]
    wait(children, lambda: has_begun(client))
    begin, used = time.perf_counter(), [cpu_s(child.pid) for child in children]
    wait(children, lambda: group.lag() == 0)
    seconds = time.perf_counter() - begin
    used = [cpu_s(child.pid) - before for child, before in zip(children, used, strict=True)]
    peak = max(peak_mib(child.pid) for child in children)
    for child in children:
        end(child)
    check(client, urls, count)
    return Run(count / seconds, tuple(round(s * 1e6 / count, 1) for s in used), peak)


def usual_way(directory: Path) -> tuple[str, list[str]]:
    """What the usual consumer is written in, and its command. JavaScript needs two packages of npm's."""
    node, npm = shutil.which("node"), shutil.which("npm")
    install = [npm or "", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(directory), "redis", "pg"]
    if node and npm and subprocess.run(install, check=False, capture_output=True).returncode == 0:
        script = f"NODE_MODULES={directory}/node_modules exec {node} benchmarks/usual.mjs"
        version = subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout.strip()
        return f"Node.js {version}", ["/bin/sh", "-c", script]
    return "Python, for want of Node.js", [sys.executable, "benchmarks/usual.py"]


def measure(urls: embedded.Urls, directory: Path, count: int, latency_s: int) -> Report:
    command = [sys.executable, "manage.py", "prepare_database", "--verbosity=0"]
    subprocess.run(command, cwd=ROOT, env=environment(urls), check=True)
    way, usual = usual_way(directory)
    with stream.connect(urls.redis) as client:
        empty(urls, client)
        copy_rps = copy_limit(urls.database, count)
        one, two = run(client, urls, count, [PROCESSOR]), run(client, urls, count, [PROCESSOR] * 2)
        drain_rps = drain_limit(client, count)
        slow = run(client, urls, min(count, USUAL_RECORDS), [usual])
        waited = latency(client, urls, latency_s)
    return Report(
        records=count,
        copy_rps=round(copy_rps),
        drain_rps=round(drain_rps),
        pipeline1_rps=round(one.rps),
        pipeline2_rps=round(two.rps),
        usual_rps=round(slow.rps),
        usual_way=way,
        pipeline1_to_copy=round(one.rps / copy_rps, 2),
        pipeline2_to_copy=round(two.rps / copy_rps, 2),
        pipeline1_to_usual=round(one.rps / slow.rps, 1),
        cpu_s_per_million=(one.cpu_s_per_million, two.cpu_s_per_million),
        peak_mib=round(max(one.peak_mib, two.peak_mib), 1),
        latency_p50_ms=waited.p50_ms,
        latency_p99_ms=waited.p99_ms,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK:,} records instead of {RECORDS:,}")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="trm-bench-") as directory, embedded.servers(Path(directory)) as urls:
        count, latency_s = (QUICK, QUICK_LATENCY_S) if options.quick else (RECORDS, LATENCY_S)
        report = asdict(measure(urls, Path(directory), count, latency_s))
    if options.json:
        print(json.dumps(report))
        return
    for name, value in report.items():
        print(f"{name:20} {value}")


if __name__ == "__main__":
    main()
