"""An event to one file: a ZIP of its tables as PostgreSQL's COPY writes them, with a manifest.

manifest.json       format, engine, event, and of each table its columns, rows and SHA-256
tables/NAME.copy    rows, tab-separated (COPY's text format): exact for every type
positions.copy      the evidence
audit.jsonl         what the audit log says of the event: to be read, it is not imported
"""

import hashlib
import json
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from apps.archive.tables import EXPECTED, POSITIONS, TABLES, WINDOWS, Table
from apps.events.models import Event
from apps.scoring.snapshot import ENGINE

FORMAT = "trm-archive 1"
# What PostgreSQL derives, or numbers by itself, is no column of an archive.
COLUMNS = """
    select attname from pg_attribute
    where attrelid = %s::regclass and attnum > 0 and not attisdropped and attgenerated = '' and attidentity = ''
      and attname <> 'geom'
    order by attnum
"""
AUDIT = "select to_jsonb(a)::text from audit_log a where event_id = %(event)s order by id"


class ArchiveError(Exception):
    """An archive cannot be written or read; the message says what and where."""


@dataclass(frozen=True, slots=True)
class Written:
    """What went into the file."""

    rows: int
    positions: int


def export(event: Event, path: Path) -> Written:
    """Write all that the event's results come from, as it is at one moment. Nothing half done has the file's name.

    Raises ArchiveError, for a file that is there already too.
    """
    if path.exists():
        raise ArchiveError(f"{path} is there already: give another name")
    draft = path.with_name(path.name + ".part")
    try:
        draft.touch(mode=0o600, exist_ok=True)  # names, addresses and birth dates of people are in it
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            written = _fill(archive, event)
        draft.rename(path)
    except OSError as error:
        raise ArchiveError(f"{path}: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
    return written


def _fill(archive: zipfile.ZipFile, event: Event) -> Written:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("set transaction isolation level repeatable read")
        cursor.execute("set local timezone to 'UTC'")
        told = [_table(archive, cursor, table, event) for table in TABLES]
        cursor.execute(WINDOWS, {"event": event.pk})
        fixes = _table(archive, cursor, Table("positions", POSITIONS), event)
        cursor.execute(AUDIT, {"event": event.pk})
        _lines(archive, "audit.jsonl", (row[0] for row in cursor))
        cursor.execute(EXPECTED, {"event": event.pk})
        manifest = {
            "format": FORMAT,
            "engine": ENGINE,
            "event": {"id": str(event.pk), "slug": event.slug, "name": event.name},
            "tables": told,
            "positions": fixes,
            "expected": [list(row) for row in cursor],
        }
    archive.writestr("manifest.json", json.dumps(manifest, indent=1))
    return Written(sum(one["rows"] for one in told), fixes["rows"])


def _table(archive: zipfile.ZipFile, cursor: Any, table: Table, event: Event) -> dict[str, Any]:
    """Write the rows of a table; what the manifest says of it."""
    columns = columns_of(cursor, table.name)
    instead = dict(table.instead)
    listed = ", ".join(instead.get(name, f'"{name}"') for name in columns)
    query = f"copy (select {listed} from {table.name} where {table.where}) to stdout"
    digest, rows = hashlib.sha256(), 0
    member = member_of(table.name)
    with archive.open(member, "w", force_zip64=True) as file, cursor.copy(query, {"event": event.pk}) as copy:
        for chunk in copy:
            file.write(chunk)
            digest.update(chunk)
            rows += bytes(chunk).count(b"\n")
    return {"name": table.name, "member": member, "columns": columns, "rows": rows, "sha256": digest.hexdigest()}


def columns_of(cursor: Any, table: str) -> list[str]:
    """The columns of a table that hold what somebody has said, in their order."""
    cursor.execute(COLUMNS, [table])
    return [name for (name,) in cursor.fetchall()]


def quoted(columns: Iterable[str]) -> str:
    """Names as a list for a statement: a column may be called like a word of SQL."""
    return ", ".join(f'"{name}"' for name in columns)


def member_of(table: str) -> str:
    return "positions.copy" if table == "positions" else f"tables/{table}.copy"


def _lines(archive: zipfile.ZipFile, member: str, lines: Iterable[str]) -> None:
    with archive.open(member, "w", force_zip64=True) as file:
        for line in lines:
            file.write(line.encode() + b"\n")
