"""The servers of a chaos run: TRM's own, in a directory of their own, ended rudely and started again."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from apps.common.embedded import Postgres, Valkey
from apps.common.embedded.server import Reserved, Server

ROOT = Path(__file__).resolve().parents[4]


class DurableValkey(Valkey):
    """Says yes to a producer when the entry is on disk, not up to two seconds before."""

    def _config(self) -> str:
        return super()._config().replace("appendfsync everysec", "appendfsync always")


class Site:
    """PostgreSQL and Valkey at addresses that survive their restarts. Use it from the main thread alone."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.postgres = Postgres(directory, reserved=Reserved.new())
        self.valkey = DurableValkey(directory, reserved=Reserved.new())

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"DATABASE_URL": self.postgres.url(), "REDIS_URL": self.valkey.url()}

    def outage(self, server: Server, number: signal.Signals, seconds: float) -> None:
        """End a server by a signal, leave it away for a while, start it on what it had on disk."""
        assert server.process is not None
        server.process.send_signal(number)
        server.process.wait(60)
        time.sleep(seconds)
        server.start()

    def start(self) -> None:
        self.postgres.start()
        self.valkey.start()
        command = [sys.executable, "manage.py", "prepare_database", "--verbosity=0"]
        subprocess.run(command, cwd=ROOT, env=self.environment, check=True)

    def stop(self) -> None:
        self.valkey.stop()
        self.postgres.stop()


@contextmanager
def site() -> Iterator[Site]:
    """Both servers, prepared; stopped and their data removed at the end."""
    with tempfile.TemporaryDirectory(prefix="trm-chaos-") as name:
        Path(name).chmod(0o755)  # the servers may run as another user
        made = Site(Path(name))
        try:
            made.start()
            yield made
        finally:
            made.stop()
