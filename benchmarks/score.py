"""What scoring costs beside reading the same fixes: python benchmarks/score.py [--quick] [--json]

150 cars drive four hours at 1 Hz over 60 controls and through 8 speed zones: (a) their fixes from PostgreSQL into
numpy arrays by the scorer's own reader, without scoring, (b) the whole stage scored from PostgreSQL to results,
(c) one entry alone. Then 500 cars at once: (d) CPU of the scorer a fix, for detection and in all, (e) from the
instant a fix is committed to the instant its changed result is seen on the outbox, at 500 fixes a second, with the
real scorer running.
It works on servers of its own, in a directory that goes away, whatever DATABASE_URL and REDIS_URL say.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from apps.common import embedded  # noqa: E402

MINUTE_MS, HOUR_MS = 60_000, 3_600_000


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: cars and hours of the whole stage, cars at once, seconds of each live part."""

    cars: int = 150
    seconds: int = 14_400
    live_cars: int = 500
    cpu_ticks: int = 60
    latency_s: int = 120
    runs: int = 3


QUICK = Size(cars=30, seconds=7_200, live_cars=100, cpu_ticks=20, latency_s=15, runs=1)


@dataclass(frozen=True, slots=True)
class Whole:
    """The whole stage: medians of all runs, seconds; `fetchall_s` is a plain client that makes Python rows.

    `…_cpu_s` is what this process and its server process used together, which a busy machine disturbs less.
    """

    fixes: int
    crossings: int
    fetchall_s: float
    bare_read_s: float
    rescore_s: float
    rescore_to_bare_read: float
    bare_read_cpu_s: float
    rescore_cpu_s: float
    one_entry_s: float
    peak_mib: float


@dataclass(frozen=True, slots=True)
class Live:
    """CPU of the scorer: detection alone, and with results, penalties, ranks and outbox."""

    live_cpu_us_per_fix: float
    live_whole_cpu_us_per_fix: float
    commit_to_result_p50_ms: float
    commit_to_result_p99_ms: float
    results_awaited: int


def whole(urls: embedded.Urls, size: Size) -> Whole:
    from apps.scoring import fix_queries, queries, services
    from apps.scoring.plans import event_plan
    from benchmarks import field, rally

    begin = (int(time.time()) // 86_400 - 1) * 86_400_000 + 5 * HOUR_MS
    field_of_cars = rally.build("whole", field.drive(size.cars, size.seconds), begin, 30)
    fixes = rally.load(urls.database, field_of_cars, field_of_cars.drives.speed >= 0)
    event, entry = field_of_cars.event, field_of_cars.entries[size.cars // 2]
    del field_of_cars
    plan = event_plan(event)
    units = services.assigned_units(plan, queries.event_entries(event), plan.stages)
    bare = _median(size.runs, lambda: _check(len(fix_queries.unit_fixes(units)), fixes))
    forget_peak()
    rescore = _median(
        size.runs, lambda: exhaust(services.score_again(services.Again(event))), before=lambda: forget(urls)
    )
    peak = peak_mib()
    one = _median(
        size.runs,
        lambda: exhaust(services.score_again(services.Again(event, (entry,)))),
        before=lambda: forget(urls, entry),
    )
    return Whole(
        fixes=fixes,
        crossings=_count(urls, "entry_crossings"),
        fetchall_s=_seconds(lambda: _check(fetchall(urls), fixes)),
        bare_read_s=bare.wall,
        rescore_s=rescore.wall,
        rescore_to_bare_read=round(rescore.wall / bare.wall, 2),
        bare_read_cpu_s=bare.cpu,
        rescore_cpu_s=rescore.cpu,
        one_entry_s=one.wall,
        peak_mib=peak,
    )


@dataclass(frozen=True, slots=True)
class Spent:
    """µs of CPU a fix."""

    detection: float
    whole: float


def exhaust(steps: Iterable[object]) -> None:
    for _step in steps:
        pass


def live(urls: embedded.Urls, size: Size) -> Live:
    """The field on its way since three and a half hours; what it sent before is on record and scored."""
    import numpy as np

    from apps.scoring import services
    from benchmarks import field, latency, rally

    now = int(time.time()) * 1000 - 10 * MINUTE_MS
    begin = now - 210 * MINUTE_MS
    cars = rally.build("live", field.drive(size.live_cars, 14_400), begin, 12_000 // size.live_cars)
    instants = cars.starts[:, None] + np.arange(14_400) * 1000
    rally.load(urls.database, cars, rally.near_controls(cars.drives) & (instants < now))
    exhaust(services.score_again(services.Again(cars.event)))
    ticks = [rally.tick(cars, now + n * 1000) for n in range(size.cpu_ticks + size.latency_s)]
    spent = cpu(ticks[: size.cpu_ticks])
    seen = latency.measure(urls, cars.stage, ticks[size.cpu_ticks :])
    return Live(
        live_cpu_us_per_fix=spent.detection,
        live_whole_cpu_us_per_fix=spent.whole,
        commit_to_result_p50_ms=round(statistics.median(seen), 1),
        commit_to_result_p99_ms=round(statistics.quantiles(seen, n=100)[98], 1),
        results_awaited=len(seen),
    )


def cpu(ticks: Sequence[Sequence[Any]]) -> Spent:
    """This process's CPU as the fixes come: until the crossings are on record, and with all that follows from them."""
    from apps.scoring import services
    from apps.scoring.queries import Window
    from apps.telemetry.pipeline import windows_of
    from apps.telemetry.queries import write_positions

    whole, after = 0.0, 0.0
    publish = services._publish

    def timed(*given: Any) -> list[str]:
        nonlocal after
        begin = time.process_time()
        topics = publish(*given)
        after += time.process_time() - begin
        return topics

    with patch.object(services, "_publish", timed):
        for tick in ticks:
            write_positions(tick)
            windows = [Window(*window, added=True) for window in windows_of(tick)]
            begin = time.process_time()
            services.score_windows(windows)
            whole += time.process_time() - begin
    fixes = sum(map(len, ticks))
    return Spent(round((whole - after) * 1e6 / fixes, 1), round(whole * 1e6 / fixes, 1))


def fetchall(urls: embedded.Urls) -> int:
    import psycopg

    with psycopg.connect(urls.database) as connection:
        return len(connection.execute("select device_id, ts, latitude, longitude, speed from positions").fetchall())


def forget(urls: embedded.Urls, entry: str | None = None) -> None:
    """Empty the readings, of one entry or of all: what is measured is scoring from nothing."""
    import psycopg

    tables = ("entry_crossings", "entry_penalties", "stage_results", "event_results")
    with psycopg.connect(urls.database, autocommit=True) as connection:
        for table in tables:
            connection.execute(f"delete from {table} where %s::uuid is null or entry_id = %s", (entry, entry))
            connection.execute(f"vacuum analyze {table}")


def forget_peak() -> None:
    """Begin to count the peak of this process's memory anew (proc(5), clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_mib() -> float:
    status = Path("/proc/self/status").read_text()
    return round(int(status.partition("VmHWM:")[2].split()[0]) / 1024, 1)


def _count(urls: embedded.Urls, table: str) -> int:
    import psycopg

    with psycopg.connect(urls.database) as connection:
        row = connection.execute(f"select count(*) from {table}").fetchone()
    return int(row[0]) if row else 0


def _check(found: int, wanted: int) -> None:
    if found != wanted:
        raise SystemExit(f"{found} fixes were read, {wanted} are stored")


@dataclass(frozen=True, slots=True)
class Took:
    """Medians, seconds."""

    wall: float
    cpu: float


def _median(runs: int, act: Callable[[], object], before: Callable[[], object] = lambda: None) -> Took:
    walls, cpus = [], []
    for _ in range(runs):
        before()
        begin = _cpu()
        walls.append(_seconds(act))
        cpus.append(_cpu() - begin)
    return Took(round(statistics.median(walls), 3), round(statistics.median(cpus), 2))


def _cpu() -> float:
    """Seconds of CPU this process and its server process have used, the latter's to a hundredth (proc(5), stat)."""
    from django.db import connection

    connection.ensure_connection()
    words = Path(f"/proc/{connection.connection.info.backend_pid}/stat").read_text().rpartition(")")[2].split()
    return time.process_time() + (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _seconds(act: Callable[[], object]) -> float:
    begin = time.perf_counter()
    act()
    return round(time.perf_counter() - begin, 3)


def measure(urls: embedded.Urls, size: Size) -> dict[str, Any]:
    os.environ |= {"DATABASE_URL": urls.database, "REDIS_URL": urls.redis, "DJANGO_SETTINGS_MODULE": "trm.settings"}
    os.environ |= {"LOG_LEVEL": "ERROR", "METRICS_PORT": "0"}
    subprocess.run([sys.executable, "manage.py", "prepare_database", "--verbosity=0"], cwd=ROOT, check=True)
    import django

    django.setup()
    return asdict(whole(urls, size)) | asdict(live(urls, size))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="30 cars for two hours, 100 live ones for seconds")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="trm-bench-") as directory, embedded.servers(Path(directory)) as urls:
        report = measure(urls, QUICK if options.quick else Size())
    if options.json:
        print(json.dumps(report))
        return
    for name, value in report.items():
        print(f"{name:26} {value}")


if __name__ == "__main__":
    main()
