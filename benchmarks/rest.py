"""How much CPU a call of the API costs the web process: python benchmarks/rest.py [--quick] [--json]

One uvicorn process, one client that waits for each answer (ms of CPU a request), then four at once (requests a
second, p99). Each call is compared with a bare view on the same process, which runs the same SQL and answers with
the same bytes. Both are asked in turn in several rounds, and the best of each counts: other work on the machine makes
a round dearer, never cheaper. The kernel counts the CPU, in ns.
It works on servers of its own, in a directory that goes away, whatever DATABASE_URL and REDIS_URL say.
"""

import argparse
import http.client
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from apps.common import embedded  # noqa: E402

WORKERS = 4


@dataclass(frozen=True, slots=True)
class Size:
    rounds: int = 10
    requests: int = 200


QUICK = Size(rounds=8, requests=50)


@dataclass(frozen=True, slots=True)
class Call:
    """A request; `body` makes the next one's where it writes."""

    name: str
    role: str
    path: str
    body: Callable[[], dict[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """ms of the web process's CPU a request; the bare view's; requests a second, p99 of four at once."""

    name: str
    role: str
    cpu_ms: float
    bare_cpu_ms: float | None
    rps: int
    p99_ms: float


def cpu_ns(pid: int) -> int:
    """CPU of a process, all its threads together."""
    return sum(int(one.read_text().split()[0]) for one in Path(f"/proc/{pid}/task").glob("*/schedstat"))


class Client:
    """One kept connection."""

    def __init__(self, port: int, token: str) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def ask(self, call: Call, path: str = "") -> bytes:
        """The answer's bytes. Ends the program for an answer that is none."""
        body = json.dumps(call.body()) if call.body and not path else None
        self._http.request("POST" if body else "GET", path or call.path, body, self._headers)
        answer = self._http.getresponse()
        data = answer.read()
        if answer.status not in (200, 201):
            raise SystemExit(f"{call.name}: {answer.status} {data[:300]!r}")
        return data


class Bench:
    def __init__(self, size: Size, port: int, pid: int, tokens: dict[str, str]) -> None:
        self._size, self._port, self._pid, self._tokens = size, port, pid, tokens

    def run(self, call: Call) -> Result:
        client = Client(self._port, self._tokens[call.role])
        ways = [""] if call.body else ["", f"/bare/{call.name}:{call.role}"]
        for way in ways:
            self._cpu_ms(client, call, way, 30)  # warm
        rounds = [
            [self._cpu_ms(client, call, way, self._size.requests) for way in ways] for _ in range(self._size.rounds)
        ]
        best = [round(min(of), 2) for of in zip(*rounds, strict=True)]
        rps, p99 = self._crowd(call)
        return Result(call.name, call.role, best[0], best[1] if len(best) > 1 else None, rps, p99)

    def _cpu_ms(self, client: Client, call: Call, path: str, count: int) -> float:
        spent = cpu_ns(self._pid)
        for _ in range(count):
            client.ask(call, path)
        return (cpu_ns(self._pid) - spent) / 1e6 / count

    def _crowd(self, call: Call) -> tuple[int, float]:
        took: list[float] = []

        def work() -> None:
            client = Client(self._port, self._tokens[call.role])
            for _ in range(self._size.requests):
                begin = time.perf_counter()
                client.ask(call)
                took.append((time.perf_counter() - begin) * 1000)

        threads = [threading.Thread(target=work) for _ in range(WORKERS)]
        begin = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - begin
        return round(len(took) / seconds), round(statistics.quantiles(took, n=100)[98], 1)


def calls(field: Any) -> Iterator[Call]:
    numbers = itertools.count(10_000)

    def entry() -> dict[str, Any]:
        names = {"event": field.event, "race_class": field.race_class, "vehicle": field.vehicle}
        return {**names, "race_number": next(numbers), "team": "New"}

    entries = f"/api/v1/entries?event={field.event}&limit=100"
    for role in ("org-admin", "marshal"):
        yield Call("entries", role, entries)
        yield Call("entries-joined", role, f"{entries}&expand=race_class,vehicle")
        yield Call("entry", role, f"/api/v1/entries/{field.entry}")
        yield Call("crossings", role, "/api/v1/entry_crossings?limit=100&ordering=-ts")
    yield Call("create-entry", "org-admin", "/api/v1/entries", entry)


def record(wanted: list[Call], tokens: dict[str, str], file: Path) -> None:
    """The SQL and the bytes of each call that reads, for the bare view."""
    from django.db import connection
    from django.test import Client as InProcess
    from django.test.utils import CaptureQueriesContext

    found = {}
    for call in wanted:
        if call.body is None:
            with CaptureQueriesContext(connection) as seen:
                answer = InProcess().get(call.path, headers={"Authorization": f"Bearer {tokens[call.role]}"})
            found[f"{call.name}:{call.role}"] = {
                "sql": [query["sql"] for query in seen.captured_queries],
                "body": answer.content.decode(),
            }
    file.write_text(json.dumps(found))


def measure(urls: embedded.Urls, size: Size, directory: Path) -> list[Result]:
    calls_file = directory / "calls.json"
    os.environ |= {"DATABASE_URL": urls.database, "REDIS_URL": urls.redis, "DJANGO_SETTINGS_MODULE": "trm.settings"}
    os.environ |= {"LOG_LEVEL": "ERROR", "REST_BENCH_CALLS": str(calls_file), "SECRET_KEY": "of the benchmark"}
    os.environ |= {"API_RATE_OFFICIAL": "100000000"[:8], "ALLOWED_HOSTS": "127.0.0.1,testserver"}
    subprocess.run([sys.executable, "manage.py", "prepare_database", "--verbosity=0"], cwd=ROOT, check=True)
    import django

    django.setup()
    from benchmarks import live_field, rest_field

    field = rest_field.build()
    wanted = list(calls(field))
    record(wanted, field.tokens, calls_file)
    with live_field.web("benchmarks.rest_app:application") as (port, pid):
        bench = Bench(size, port, pid, field.tokens)
        return [bench.run(call) for call in wanted]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="eight rounds of 50 requests")
    parser.add_argument("--json", action="store_true", help="one JSON object a call")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="trm-bench-") as directory:
        path = Path(directory)
        path.chmod(0o755)
        with embedded.servers(path) as urls:
            results = measure(urls, QUICK if options.quick else Size(), path)
    for one in results:
        if options.json:
            sys.stdout.write(json.dumps(asdict(one)) + "\n")
            continue
        ratio = f"{one.cpu_ms / one.bare_cpu_ms:.2f} x bare" if one.bare_cpu_ms else ""
        sys.stdout.write(
            f"{one.name:15} {one.role:10} {one.cpu_ms:6} ms CPU  {ratio:11} {one.rps:5}/s  p99 {one.p99_ms} ms\n"
        )


if __name__ == "__main__":
    main()
