"""The loop of a command that runs for ever: steps until told to stop, patience when a server is away."""

import random
import signal
import threading
from collections.abc import Callable
from typing import Protocol

import psycopg
import redis
import structlog
from django.db import DatabaseError, InterfaceError, OperationalError, connection

log = structlog.get_logger(__name__)

# What a server that restarts or moves looks like from here; anything else is a fault of ours and ends the process.
AWAY = (redis.ConnectionError, redis.TimeoutError, OperationalError, InterfaceError, psycopg.OperationalError)
LONGEST_WAIT_S = 10.0


class Worker(Protocol):
    """Work in units: `prepare` once a connection, `step` does one unit, `finish` leaves things tidy."""

    def prepare(self) -> None: ...

    def step(self) -> bool: ...

    def finish(self) -> None: ...


class Loop:
    """Runs a worker until SIGTERM or SIGINT; the unit at work is finished first."""

    def __init__(self, worker: Worker, beat: Callable[[], None]) -> None:
        self._worker = worker
        self._beat = beat
        self._stop = threading.Event()
        self._failures = 0
        self._prepared = False

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        while not self._stop.is_set():
            self._beat()
            self._turn()
        try:
            self._worker.finish()
        except AWAY as error:
            log.warning("stopped while a server was away", error=str(error))

    def _turn(self) -> None:
        try:
            if not self._prepared:
                self._worker.prepare()
                self._prepared = True
            self._worker.step()
            self._failures = 0
        except AWAY as error:
            self._wait(error)

    def _wait(self, error: Exception) -> None:
        """Longer each time, with some chance in it, so that many processes do not come back at once."""
        self._prepared = False
        self._failures += 1
        seconds = min(LONGEST_WAIT_S, 0.1 * 2**self._failures) * random.uniform(0.5, 1.0)
        log.warning("a server is away", error=str(error).strip(), retry_in_s=round(seconds, 1))
        close_database()
        self._stop.wait(seconds)


def close_database() -> None:
    """Drop the connection; Django opens the next one by itself."""
    try:
        connection.close()
    except DatabaseError as error:
        log.debug("closing a broken connection", error=str(error))
