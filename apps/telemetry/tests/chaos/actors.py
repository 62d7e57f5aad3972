"""Who works in a chaos run: a producer that never gives up, and processors that are killed."""

import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import redis

from apps.common import stream
from apps.telemetry.tests.chaos.records import Record
from apps.telemetry.tests.chaos.site import ROOT, Site

STREAM = "telemetry:t"
CHUNK = 100
WORK_WITHIN_S = 3.0
SETTINGS = {
    "METRICS_PORT": "0",
    "LOG_LEVEL": "ERROR",
    "READ_BATCH_SIZE": "200",
    "READ_BLOCK_MS": "100",
    "CLAIM_THRESHOLD_MS": "1500",
    "MAX_DELIVERIES": "30",  # so many kills in so short a time make good records look like poison
    "REDIS_TELEMETRY_STREAM": STREAM,
}


class Producer(threading.Thread):
    """Sends every record at least once: what Redis did not answer for is sent again, whatever became of it.

    `allowed` is how many it may send by now, so that a storm has something to strike to its end.
    """

    def __init__(self, url: str, records: Sequence[Record]) -> None:
        super().__init__(name="producer", daemon=True)
        self._client = stream.connect(url)
        self._records = records
        self._enough = threading.Event()
        self.allowed = self.sent = self.repeated = 0

    def run(self) -> None:
        while self.sent < len(self._records) and not self._enough.is_set():
            if self.sent < self.allowed and self._send(self._records[self.sent : self.sent + CHUNK]):
                self.sent += CHUNK
            else:
                self._enough.wait(0.02)

    def stop(self) -> None:
        self._enough.set()
        self.join()
        self._client.close()

    def _send(self, records: Sequence[Record]) -> bool:
        pipe = self._client.pipeline(transaction=False)
        for record in records:
            pipe.xadd(STREAM, cast(Any, record.fields))
        try:
            pipe.execute()
        except (redis.ConnectionError, redis.TimeoutError):
            self.repeated += 1
            return False
        return True


class Processors:
    """The real command, several times. One that ends without being told is a failure of the run."""

    def __init__(self, site: Site, rng: random.Random, count: int) -> None:
        self._site = site
        self._client = stream.connect(site.valkey.url())
        self._rng = rng
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._born: dict[str, float] = {}
        self._started = 0
        self.kills = 0
        for _ in range(count):
            self._start(self._new_name())

    @property
    def names(self) -> set[str]:
        return set(self._running)

    def strike(self) -> None:
        """Kill one at work; it comes back under its name, or another one takes over."""
        name = self.one_at_work()
        process = self._running.pop(name)
        process.kill()
        process.wait()
        self.kills += 1
        self._start(name if self._rng.random() < 0.5 else self._new_name())

    def one_at_work(self) -> str:
        """The name of one that has something to lose, or of any after a while: a blow to the idle proves little."""
        names = self._rng.sample(list(self._running), len(self._running))
        deadline = time.monotonic() + WORK_WITHIN_S
        while time.monotonic() < deadline:
            self.check()
            if busy := next((name for name in names if self._has_work(name)), None):
                return busy
        return names[0]

    def freeze(self, seconds: float) -> None:
        """Stop one for so long that it is taken for dead, then let it go on with what others have taken over."""
        process = self._running[self.one_at_work()]
        process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        process.send_signal(signal.SIGCONT)

    def check(self) -> None:
        for name, process in self._running.items():
            assert process.poll() is None, f"{name} ended by itself ({process.returncode}):\n{self._said(name)}"

    def end(self) -> None:
        """Ask all to stop; each must do so in order."""
        self.check()
        for process in self._running.values():
            process.terminate()
        for name, process in self._running.items():
            assert process.wait(25) == 0, f"{name} ended with {process.returncode}:\n{self._said(name)}"

    def kill(self) -> None:
        for process in self._running.values():
            process.kill()
            process.wait()

    def all_read(self) -> bool:
        """Whether each has begun to read: before that, a command does not know how to stop in order."""
        return all(self._consumer(name) for name in self._running)

    def _has_work(self, name: str) -> bool:
        row = self._consumer(name)
        return bool(row and row["pending"])

    def _consumer(self, name: str) -> dict[str, Any] | None:
        """What Redis knows of one that it has heard in this life, not only in the one before."""
        life_ms = (time.monotonic() - self._born[name]) * 1000
        rows: Any = []
        with suppress(redis.RedisError):
            rows = self._client.xinfo_consumers(STREAM, stream.PROCESSOR_GROUP)
        return next((row for row in rows if row["name"] == name.encode() and row["idle"] < life_ms), None)

    def _new_name(self) -> str:
        self._started += 1
        return f"chaos-{self._started}"

    def _start(self, name: str) -> None:
        self._born[name] = time.monotonic()
        with self._log(name).open("ab") as log:
            self._running[name] = subprocess.Popen(
                [*_die_with_me(), sys.executable, "manage.py", "run_processor"],
                cwd=ROOT, env=self._site.environment | SETTINGS | {"INSTANCE_ID": name}, stdout=log, stderr=log,
            )  # fmt: skip

    def _log(self, name: str) -> Path:
        return self._site.directory / f"{name}.log"

    def _said(self, name: str) -> str:
        others = [line for line in self._log(name).read_text().splitlines() if '"dead letter"' not in line]
        return "\n".join(others[-40:])


def _die_with_me() -> list[str]:
    """Words that let the kernel end a processor whose test run was killed."""
    return ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
