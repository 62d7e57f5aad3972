"""An archive into a database, all or nothing: rows, then results computed anew, to the hashes they had."""

import hashlib
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import DatabaseError, connection, transaction

from apps.archive.tables import EXPECTED, TABLES, Table
from apps.archive.writing import FORMAT, ArchiveError, columns_of, quoted
from apps.scoring.models import ResultRevision
from apps.scoring.revisions import verify
from apps.scoring.services import Again, score_again
from apps.scoring.snapshot import ENGINE

CHUNK = 1 << 20
TABLES_BY_NAME = {table.name: table for table in TABLES}
# Bookkeeping, and what each machine decides for itself: no reason to take a shared row for another one.
OWN = "array['created_at', 'updated_at', 'password', 'is_staff', 'is_superuser', 'is_active', 'last_login']"
DAYS = """
    select trm_make_position_partitions(day, day)
    from (select distinct (ts at time zone 'UTC')::date as day from archived_positions) d
"""
# Every machine has its own rows of the makers' device models, under the same names: those here are taken.
ADOPTED = (
    """update archived_devices d set model_id = h.id
       from archived_device_models a join device_models h on h.name = a.name where d.model_id = a.id""",
    """delete from archived_io_mappings m using archived_device_models a, device_models h
       where h.name = a.name and m.device_model_id = a.id""",
    "delete from archived_device_models a using device_models h where h.name = a.name",
)
# Facts of another machine, and long ago: nobody here is told of them.
UNTOLD = "delete from domain_events where event_id = %s"


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import: `topics` are boards with news."""

    slug: str
    rows: int
    positions: int
    results: int
    revisions: int
    topics: tuple[str, ...]


def read(path: Path) -> Imported:
    """Import the archive, compute its results anew and hold them against those it had.

    Raises ArchiveError with every reason why it cannot be; then nothing was changed.
    """
    try:
        with zipfile.ZipFile(path) as archive, transaction.atomic():
            manifest = _manifest(archive)
            return _import(archive, manifest)
    except (OSError, zipfile.BadZipFile, KeyError, json.JSONDecodeError) as error:
        raise ArchiveError(f"{path} is no archive of TRM, or is damaged: {error}") from error
    except DatabaseError as error:
        raise ArchiveError(f"{path} does not fit this database: {str(error).strip()}") from error


def _manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(archive.read("manifest.json"))
    if manifest["format"] != FORMAT or manifest["engine"] != ENGINE:
        raise ArchiveError(
            f"it was written by {manifest['engine']} as {manifest['format']}, this is {ENGINE} and reads {FORMAT}"
        )
    return manifest


def _import(archive: zipfile.ZipFile, manifest: dict[str, Any]) -> Imported:
    told = [*manifest["tables"], manifest["positions"]]
    event = manifest["event"]["id"]
    with connection.cursor() as cursor:
        cursor.execute("set local timezone to 'UTC'")
        _refuse(_unknown(cursor, told))
        for table in told:
            _stage(archive, cursor, table)
        for statement in ADOPTED:
            cursor.execute(statement)
        _refuse([clash for table in TABLES for clash in _clashes(cursor, table)] + list(_other_fixes(cursor)))
        for table in manifest["tables"]:
            _insert(cursor, table)
        cursor.execute(DAYS)
        _insert(cursor, manifest["positions"])
        cursor.execute(UNTOLD, [event])
        cursor.execute("set constraints all immediate")
    topics = [topic for _done, some in score_again(Again(event)) for topic in some]
    _refuse(_differences(manifest))
    revisions = list(ResultRevision.objects.filter(event_id=event))
    _refuse([f"{revision}: {fault}" for revision in revisions for fault in verify(revision)])
    with connection.cursor() as cursor:
        cursor.execute(UNTOLD, [event])
    return Imported(
        slug=manifest["event"]["slug"],
        rows=sum(table["rows"] for table in manifest["tables"]),
        positions=manifest["positions"]["rows"],
        results=len(manifest["expected"]),
        revisions=len(revisions),
        topics=tuple(topics),
    )


def _refuse(reasons: list[str]) -> None:
    if reasons:
        more = f"\n  and {len(reasons) - 20} more" if len(reasons) > 20 else ""
        raise ArchiveError("nothing was imported:\n  " + "\n  ".join(reasons[:20]) + more)


def _unknown(cursor: Any, told: list[dict[str, Any]]) -> list[str]:
    """Tables and columns this TRM does not have: names go into statements, so they are looked up, never believed."""
    found = []
    for table in told:
        if table["name"] != "positions" and table["name"] not in TABLES_BY_NAME:
            found.append(f"table {table['name']!r} is not known here")
            continue
        here = set(columns_of(cursor, table["name"]))
        found += [f"{table['name']} has no column {name!r} here" for name in table["columns"] if name not in here]
    return found


def _stage(archive: zipfile.ZipFile, cursor: Any, table: dict[str, Any]) -> None:
    """The rows of the file in a temporary table. Raises ArchiveError where they are not those that were written."""
    columns, digest = quoted(table["columns"]), hashlib.sha256()
    staged = f"archived_{table['name']}"
    cursor.execute(f"create temp table {staged} on commit drop as select {columns} from {table['name']} with no data")
    with archive.open(table["member"]) as file, cursor.copy(f"copy {staged} ({columns}) from stdin") as copy:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            copy.write(chunk)
    if digest.hexdigest() != table["sha256"]:
        raise ArchiveError(f"{table['member']} was changed after the archive was written: its SHA-256 is another")


def _clashes(cursor: Any, table: Table) -> Iterator[str]:
    """Rows here that are in the way, one sentence each."""
    staged = f"archived_{table.name}"
    if table.known_by:
        same = " and ".join(f"h.{name} = a.{name}" for name in table.known_by)
        shown = " || ' ' || ".join(f"a.{name}::text" for name in table.known_by)
        for (known,) in _rows(cursor, f"select {shown} from {staged} a join {table.name} h on {same} and h.id <> a.id"):
            yield f"{table.name}: {known!r} is here under another id"
    if not table.shared:
        for (count,) in _rows(cursor, f"select count(*) from {staged} a join {table.name} h on h.id = a.id"):
            if count:
                yield f"{table.name}: {count} rows of the archive are here already; is the event?"
        return
    differing = f"""
        select h.id, (select string_agg(key, ', ' order by key) from jsonb_each(to_jsonb(a) - {OWN}) x
                      where value is distinct from to_jsonb(h) -> key)
        from {staged} a join {table.name} h on h.id = a.id
    """
    for id, columns in _rows(cursor, differing):
        if columns:
            yield f"{table.name}: {id} is here with another {columns}"


def _other_fixes(cursor: Any) -> Iterator[str]:
    """Devices that have fixes here at the same instants as in the archive, and not the same."""
    query = """
        select a.device_id, count(*) from archived_positions a join positions h using (device_id, ts)
        where to_jsonb(a) is distinct from to_jsonb(h) group by 1 order by 1
    """
    for device, count in _rows(cursor, query):
        yield f"positions: {device} has {count} other fixes here at the same instants"


def _insert(cursor: Any, table: dict[str, Any]) -> None:
    columns = quoted(table["columns"])
    cursor.execute(
        f"insert into {table['name']} ({columns}) select {columns} from archived_{table['name']} on conflict do nothing"
    )


def _differences(manifest: dict[str, Any]) -> list[str]:
    """Results that do not come out as they were, by entry and stage."""
    with connection.cursor() as cursor:
        cursor.execute(EXPECTED, {"event": manifest["event"]["id"]})
        here = {(row[0], row[1]): list(row[2:]) for row in cursor}
    there = {(row[0], row[1]): row[2:] for row in manifest["expected"]}
    places = sorted(key for key in here.keys() | there.keys() if here.get(key) != there.get(key))
    return [f"entry {e}, stage {s}: {there.get((e, s))} → {here.get((e, s))}" for e, s in places]


def _rows(cursor: Any, query: str) -> list[tuple[Any, ...]]:
    cursor.execute(query)
    found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
