"""The loop of a command that runs for ever: steps until told to stop, patience when a server is away."""

import os
import random
import signal
import threading
from collections.abc import Callable
from typing import Protocol

import psycopg
import redis
import structlog
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from redis.exceptions import ClusterDownError, OutOfMemoryError, ReadOnlyError, TryAgainError

log = structlog.get_logger(__name__)

# What a server that restarts or fails over looks like from here; anything else is a fault of ours and ends the
# process.
AWAY = (
    redis.ConnectionError,
    redis.TimeoutError,
    ReadOnlyError,
    ClusterDownError,
    TryAgainError,
    OutOfMemoryError,
    OperationalError,
    InterfaceError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,
)
LONGEST_WAIT_S = 10.0
DRAIN_S = 20.0


class Worker(Protocol):
    """Work in units: `prepare` once a connection, `step` does one unit, `finish` leaves things tidy."""

    def prepare(self) -> None: ...

    def step(self) -> bool: ...

    def finish(self) -> None: ...


class Loop:
    """Runs a worker until SIGTERM or SIGINT; the unit at work is finished first, for `drain_s` at most."""

    def __init__(self, worker: Worker, beat: Callable[[], None], drain_s: float = DRAIN_S) -> None:
        self._worker = worker
        self._beat = beat
        self._drain_s = drain_s
        self._stop = threading.Event()
        self._limit = threading.Timer(drain_s, self._give_up)
        self._limit.daemon = True
        self._failures = 0
        self._prepared = False

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask_to_stop)
        try:
            while not self._stop.is_set():
                self._beat()
                self._turn()
            self._worker.finish()
        except AWAY as error:
            log.warning("stopped while a server was away", error=str(error))
        finally:
            self._limit.cancel()  # else it would end whatever the process does next

    def _ask_to_stop(self, *_: object) -> None:
        if not self._stop.is_set():
            self._limit.start()
        self._stop.set()

    def _give_up(self) -> None:
        """A server hangs. What is not acknowledged comes again, so nothing is lost by leaving now."""
        log.error("left with work in hand", after_s=self._drain_s)
        os._exit(1)

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
