"""From the commit of a panic fix to its alert: python benchmarks/safety.py [--quick] [--json]

A rally is on: 150 crews on a special stage send a fix a second, stored and announced as the processor does, while the
real `run_safety` watches them. At random moments a crew presses its button. Counted is from the commit of that fix, by
the clock of the sender, to the instant its alert was raised, by the clock of PostgreSQL, on the same machine; the
alert's own commit follows within a millisecond or two.
It works on servers of its own, in a directory that goes away, whatever DATABASE_URL and REDIS_URL say.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from apps.common import embedded  # noqa: E402


@dataclass(frozen=True, slots=True)
class Figures:
    """Milliseconds from commit to alert; `alerts` of so many presses, and how busy the watch was."""

    commit_to_alert_p50_ms: float
    commit_to_alert_p99_ms: float
    commit_to_alert_most_ms: float
    alerts: int
    watch_cpu: float


def measure(urls: embedded.Urls, crews: int, seconds: int) -> Figures:
    """Raises SystemExit when an alert never comes, or comes twice."""
    os.environ |= {"DATABASE_URL": urls.database, "REDIS_URL": urls.redis, "DJANGO_SETTINGS_MODULE": "trm.settings"}
    os.environ |= {"LOG_LEVEL": "ERROR", "METRICS_PORT": "0", "INSTANCE_ID": "watch"}
    subprocess.run([sys.executable, "manage.py", "prepare_database", "--verbosity=0"], cwd=ROOT, check=True)
    import django

    django.setup()
    from apps.safety.models import Alert
    from benchmarks import processes, safety_field

    field = safety_field.build(crews)
    watch = subprocess.Popen([sys.executable, "manage.py", "run_safety"], cwd=ROOT, env=os.environ)
    try:
        safety_field.await_watch(urls.redis)
        before, began = processes.cpu_s(watch.pid), time.monotonic()
        pressed = safety_field.drive(urls.redis, field, seconds, random.Random(8))
        time.sleep(3)
        busy = (processes.cpu_s(watch.pid) - before) / (time.monotonic() - began)
    finally:
        watch.terminate()
        watch.wait()
    raised = {str(alert.entry_id): alert.raised_at.timestamp() for alert in Alert.objects.filter(kind="panic")}
    if raised.keys() != pressed.keys() or Alert.objects.filter(kind="panic").count() != len(pressed):
        raise SystemExit(f"{len(raised)} alerts of {len(pressed)} presses")
    took = sorted((raised[entry] - at) * 1000 for entry, at in pressed.items())
    return Figures(
        round(statistics.median(took), 1), round(took[int(len(took) * 0.99)], 1), round(took[-1], 1), len(took),
        round(busy, 3),
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="40 crews for 20 seconds")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    crews, seconds = (40, 20) if options.quick else (150, 90)
    with tempfile.TemporaryDirectory(prefix="trm-bench-") as directory, embedded.servers(Path(directory)) as urls:
        figures = measure(urls, crews, seconds)
    if options.json:
        print(json.dumps(asdict(figures), indent=2))
        return
    for name, value in asdict(figures).items():
        print(f"{name:26} {value}")


if __name__ == "__main__":
    main()
