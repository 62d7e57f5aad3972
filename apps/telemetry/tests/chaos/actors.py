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
    """Sends every record at least once: what Redis did not answer for is sent again, whatever became of it."""

    def __init__(self, url: str, records: Sequence[Record], rate: int) -> None:
        super().__init__(name="producer", daemon=True)
        self._client = stream.connect(url)
        self._records = records
        self._rate = rate
        self._enough = threading.Event()
        self.sent = self.repeated = 0

    def run(self) -> None:
        began = time.monotonic()
        while self.sent < len(self._records) and not self._enough.is_set():
            if self._try(self._records[self.sent : self.sent + CHUNK]):
                self.sent += CHUNK
                self._enough.wait(max(0.0, began + self.sent / self._rate - time.monotonic()))
            else:
                self.repeated += 1
                self._enough.wait(0.1)

    def wait_for_work_in_hand(self) -> None:
        """Return when a processor has something to lose, or after a moment: a blow to the idle proves little."""
        deadline = time.monotonic() + 0.5
        with suppress(redis.RedisError):
            while time.monotonic() < deadline:
                if cast(Any, self._client.xpending(STREAM, stream.PROCESSOR_GROUP))["pending"]:
                    return

    def stop(self) -> None:
        self._enough.set()
        self.join()
        self._client.close()

    def _try(self, records: Sequence[Record]) -> bool:
        pipe = self._client.pipeline(transaction=False)
        for record in records:
            pipe.xadd(STREAM, cast(Any, record.fields))
        try:
            pipe.execute()
        except (redis.ConnectionError, redis.TimeoutError):
            return False
        return True


class Processors:
    """The real command, several times. One that ends without being told is a failure of the run."""

    def __init__(self, site: Site, rng: random.Random, count: int) -> None:
        self._site = site
        self._rng = rng
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._started = 0
        self.kills = 0
        for _ in range(count):
            self._start(self._new_name())

    @property
    def names(self) -> set[str]:
        return set(self._running)

    def strike(self) -> None:
        """Kill one; it comes back under its name, or another one takes over."""
        name = self._rng.choice(list(self._running))
        process = self._running.pop(name)
        process.kill()
        process.wait()
        self.kills += 1
        self._start(name if self._rng.random() < 0.5 else self._new_name())

    def freeze(self, seconds: float) -> None:
        """Stop one for so long that it is taken for dead, then let it go on with what others have taken over."""
        process = self._running[self._rng.choice(list(self._running))]
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

    def _new_name(self) -> str:
        self._started += 1
        return f"chaos-{self._started}"

    def _start(self, name: str) -> None:
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
