"""Who runs which embedded server: `<directory>/servers.json` under the lock `<directory>/lock`.

    {"postgres": {"url": "...", "process": "4711:88123", "owner": "4700:88119"}, "valkey": {...}}

A second process attaches to what it finds; the owner takes its line away before it stops the server. After a
crash the line is stale: its owner is gone, and the kernel is ending the server or has ended it. A process is
named by number and birth, because numbers are used again.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypedDict

from apps.common.embedded import process
from apps.common.embedded.process import EmbeddedServerError
from apps.common.embedded.server import Server

ORPHAN_SECONDS = 30


class Record(TypedDict):
    """One running server; `url` holds its password, hence the file's mode 0600."""

    url: str
    process: str
    owner: str


@contextmanager
def attached_or_started(directory: Path, server: Server) -> Iterator[str]:
    """The URL of `server`: another process's running one, else one that lives as long as this block."""
    with _locked(directory):
        url = _attach(_read(directory).get(server.name), server)
        owned = url is None
        if url is None:
            url = _start(directory, server)
    owner = os.getpid()
    try:
        yield url
    finally:
        # A fork of the owner runs this too, and must leave the server alone.
        if owned and os.getpid() == owner:
            _stop(directory, server)


def _attach(record: Record | None, server: Server) -> str | None:
    """The URL of the recorded server; None when a new one may start, the recorded one having ended."""
    if record is None or not _alive(record["process"]):
        return None
    if not _alive(record["owner"]):
        _end_orphan(record, server)
        return None
    reason = server.answers(record["url"])
    if reason is not None:
        number = record["owner"].partition(":")[0]
        raise EmbeddedServerError(f"the {server.name} that process {number} runs does not answer: {reason}")
    return record["url"]


def _start(directory: Path, server: Server) -> str:
    url = server.start()
    assert server.process is not None
    identity, owner = _identity(server.process.pid), _identity(os.getpid())
    record = Record(url=url, process=identity or "", owner=owner or "")
    _write(directory, {**_read(directory), server.name: record})
    return url


def _stop(directory: Path, server: Server) -> None:
    with _locked(directory):
        owner = _identity(os.getpid())
        lines = _read(directory)
        if server.name in lines and lines[server.name]["owner"] == owner:
            _write(directory, {name: line for name, line in lines.items() if name != server.name})
        server.stop()


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    process.make_directory(directory)
    try:
        lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except PermissionError as error:
        raise EmbeddedServerError(f"{directory} belongs to another user: run as that one, or remove it") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


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
    """End the server of a killed owner; on Linux the kernel has told it so already."""
    number = int(record["process"].partition(":")[0])
    deadline = time.monotonic() + ORPHAN_SECONDS
    with suppress(ProcessLookupError):
        os.kill(number, server.polite)
    while _alive(record["process"]):
        if time.monotonic() > deadline:
            raise EmbeddedServerError(f"the {server.name} of an earlier run (process {number}) does not end")
        time.sleep(0.02)


def _identity(pid: int) -> str | None:
    """Number and birth of a running process, None when it has ended."""
    try:
        # After the name, which may hold anything in its brackets: state, ..., start time as 20th word.
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return _identity_without_proc(pid)
    return None if words[0] == "Z" else f"{pid}:{words[19]}"


def _identity_without_proc(pid: int) -> str | None:
    if Path("/proc/self/stat").exists():
        return None
    try:
        os.kill(pid, 0)
    except OSError:
        return None
    return f"{pid}:"


def _alive(identity: str) -> bool:
    return _identity(int(identity.partition(":")[0])) == identity
