"""The files `sql/NNN_name.sql`: what the ORM cannot say. Below 500 before `migrate`, 500 and above after it.

Every file is applied every time, so each is written to change nothing the second time; each is one
transaction. An advisory lock keeps two processes from preparing one database at once.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections, transaction
from django.db.migrations.executor import MigrationExecutor

FILE_NAME = re.compile(r"(\d{3})_[a-z0-9_]+\.sql")
FIRST_AFTER_MIGRATE = 500
ADVISORY_LOCK = 0x54524D  # "TRM"


class Phase(StrEnum):
    BEFORE_MIGRATE = "before migrate"
    AFTER_MIGRATE = "after migrate"


class SqlFileError(Exception):
    """A file of `sql/` is misnamed or the server refuses it; the message begins with its name and line."""


def sql_files(phase: Phase, directory: Path | None = None) -> list[Path]:
    """The files of `phase` in the order of their numbers. Raises SqlFileError on a misnamed one."""
    paths = sorted((directory or settings.BASE_DIR / "sql").glob("*.sql"))
    return [path for path in paths if (_number(path) >= FIRST_AFTER_MIGRATE) == (phase is Phase.AFTER_MIGRATE)]


def _number(path: Path) -> int:
    match = FILE_NAME.fullmatch(path.name)
    if match is None:
        raise SqlFileError(f"{path.name}: the name must be NNN_name.sql, in lower case")
    return int(match[1])


def apply_sql(phase: Phase, *, using: str = DEFAULT_DB_ALIAS, directory: Path | None = None) -> list[Path]:
    """Apply the files of `phase` and return them. Raises SqlFileError; the files before it stay applied."""
    paths = sql_files(phase, directory)
    with locked(using):
        for path in paths:
            _apply(path, using)
    return paths


def prepare_database(*, using: str = DEFAULT_DB_ALIAS, verbosity: int = 0) -> None:
    """Bring a database, empty or not, to what this code needs: SQL before, `migrate`, SQL after."""
    with locked(using):
        apply_sql(Phase.BEFORE_MIGRATE, using=using)
        call_command("migrate", database=using, verbosity=verbosity, interactive=False)
        apply_sql(Phase.AFTER_MIGRATE, using=using)


def is_migrated(using: str = DEFAULT_DB_ALIAS) -> bool:
    """Whether no migration is waiting."""
    executor = MigrationExecutor(connections[using])
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


@contextmanager
def locked(using: str) -> Iterator[None]:
    """Hold the session-level advisory lock: `migrate` commits many times under it. It may be nested."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [ADVISORY_LOCK])


def _apply(path: Path, using: str) -> None:
    text = path.read_text(encoding="utf-8")
    try:
        with transaction.atomic(using), connections[using].cursor() as cursor:
            cursor.execute(text)  # without parameters: several statements, and % is only a %
    except DatabaseError as error:
        raise SqlFileError(f"{path.name}{_fault(error, text)}") from error


def _fault(error: DatabaseError, text: str) -> str:
    """ ":line: " where the server names a place in `text`, else ": ", and the server's own words."""
    cause = error.__cause__
    if not isinstance(cause, psycopg.Error):
        return f": {error}"
    diag = cause.diag
    line = f":{text.count(chr(10), 0, int(diag.statement_position) - 1) + 1}" if diag.statement_position else ""
    parts = (diag.message_primary or str(cause).strip(), diag.message_detail, diag.context)
    return f"{line}: " + "; ".join(part.replace("\n", " ") for part in parts if part)
