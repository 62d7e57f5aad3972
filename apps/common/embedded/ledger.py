"""Who runs which embedded server: `<directory>/servers.json` under the lock `<directory>/lock`.

    {"postgres": {"url": "...", "pid": 4711, "owner": 4700}, "valkey": {...}}

A second process attaches to what it finds; the owner takes its line away before it stops the server. After a
crash the line is stale: its owner is gone, and the kernel is ending the server or has ended it.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict

from apps.common.embedded import process
from apps.common.embedded.server import Server

ORPHAN_SECONDS = 30


class Record(TypedDict):
    """One running server; `url` holds its password, hence the file's mode 0600."""

    url: str
    pid: int
    owner: int


@contextmanager
def attached_or_started(directory: Path, server: Server) -> Iterator[str]:
    """The URL of `server`: another process's running one, else one that lives as long as this block."""
    with _locked(directory):
        record = _read(directory).get(server.name)
        if record and _alive(record["owner"]) and server.answers(record["url"]) is None:
            url, owned = record["url"], False
        else:
            if record:
                _end_orphan(record, server)
            url, owned = _start(directory, server), True
    owner = os.getpid()
    try:
        yield url
    finally:
        # A fork of the owner runs this too, and must leave the server alone.
        if owned and os.getpid() == owner:
            _stop(directory, server)


def _start(directory: Path, server: Server) -> str:
    url = server.start()
    assert server.process is not None
    record = Record(url=url, pid=server.process.pid, owner=os.getpid())
    _write(directory, {**_read(directory), server.name: record})
    return url


def _stop(directory: Path, server: Server) -> None:
    with _locked(directory):
        _write(directory, {name: line for name, line in _read(directory).items() if name != server.name})
        server.stop()


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    process.make_directory(directory)
    with open(directory / "lock", "a", opener=_private) as lock:  # noqa: PTH123 - Path.open takes no opener
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _read(directory: Path) -> dict[str, Record]:
    try:
        lines: dict[str, Record] = json.loads((directory / "servers.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return lines


def _write(directory: Path, lines: dict[str, Record]) -> None:
    path = directory / "servers.json"
    if not lines:
        path.unlink(missing_ok=True)
        return
    draft = path.with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(lines, indent=2))
    draft.replace(path)


def _end_orphan(record: Record, server: Server) -> None:
    """Wait for the server of a killed owner to end; where the kernel did not tell it to, tell it."""
    if server.answers(record["url"]) is None and not _alive(record["owner"]):
        os.kill(record["pid"], server.polite)
    deadline = time.monotonic() + ORPHAN_SECONDS
    while server.answers(record["url"]) is None and time.monotonic() < deadline:
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
