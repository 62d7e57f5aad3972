"""Real Celery workers for tests, started as the deployment starts them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from celery import current_app
from django.conf import settings

Start = Callable[..., subprocess.Popen[bytes]]


@contextmanager
def workers(redis_url: str, log: Path) -> Iterator[Start]:
    """Starts a worker of a queue with one child and any more options, waits until it answers; what it says to `log`."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(queue: str, *options: str) -> subprocess.Popen[bytes]:
        base, name = os.environ["DATABASE_URL"].rsplit("/", 1)[0], settings.DATABASES["default"]["NAME"]
        environment = os.environ | {"DATABASE_URL": f"{base}/{name}", "REDIS_URL": redis_url}
        words = ["celery", "-A", "trm", "worker", "--queues", queue, "-n", f"{queue}@test", "--concurrency", "1"]
        with log.open("ab") as said:
            child = subprocess.Popen([sys.executable, "-m", *words, *options], env=environment, stderr=said)
        started.append(child)
        until(lambda: f"{queue}@test" in (current_app.control.inspect(timeout=0.5).active_queues() or {}))
        return child

    try:
        yield begin
    finally:
        for child in started:
            child.send_signal(signal.SIGTERM)
        for child in started:
            child.wait(timeout=30)


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for it; AssertionError when it takes too long."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.1)
