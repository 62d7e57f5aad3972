"""The days of `positions`: partitions made ahead, and what becomes of old ones. Nothing here needs a cron.

Native partitions are made and dropped here. TimescaleDB makes its own chunks; they are dropped here, too, as its policy
of retention asks how old fixes are, not when they came; its policy of compression is set. Only one process at a time is
at it, and none waits long for a lock: a writer must never stand behind it.

Positions are evidence. They go only when POSITIONS_RETENTION_DAYS is set, and only those whose own time *and* whose
arrival lie that far back: an old upload that came yesterday stays. What is gone can be neither scored nor replayed
again; of such an event the published revisions remain. Telemetry knows no events: set more days than the longest
one takes with its protests.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import psycopg
import structlog
from django.conf import settings
from django.db import NotSupportedError, OperationalError, connection, transaction

log = structlog.get_logger(__name__)

ADVISORY_LOCK = 0x54524D50  # "TRMP"
LOCK_TIMEOUT = "500ms"
DUE_EVERY_S = 3600.0
TRY_AGAIN_S = 60.0
PARTITION = re.compile(r"positions_(\d{8})")
DAY = timedelta(days=1)

# The partitions of `positions`; none under TimescaleDB.
PARTITIONS = "select inhrelid::regclass::text from pg_inherits where inhparent = to_regclass('positions') order by 1"
# Whether a partition holds anything that came after a moment.
NEWS = "select exists (select from {name} where ingested_at >= %s)"
# Rows of days without a partition that are as old as those of dropped ones.
FORGOTTEN = "from positions_default where ts < %(before)s and ingested_at < %(before)s"
# The chunks of TimescaleDB whose fixes are all older than a moment, each with its name and its range.
CHUNKS = """
    select format('%%I.%%I', chunk_schema, chunk_name)
    from timescaledb_information.chunks where hypertable_name = 'positions' and range_end <= %s order by range_end
"""
DROP_CHUNK = """
    select drop_chunks('positions', newer_than => range_start, older_than => range_end)
    from timescaledb_information.chunks
    where hypertable_name = 'positions' and format('%%I.%%I', chunk_schema, chunk_name) = %s
"""
# Before 2.18.1 a fix that is there already ends its whole INSERT … ON CONFLICT DO NOTHING into a compressed chunk: the
# rows after it are lost without a word (TimescaleDB's #7672, mended by #7673).
LOSES_ROWS = """
    select substring(extversion from '^[0-9.]+') from pg_extension where extname = 'timescaledb'
    and string_to_array(substring(extversion from '^[0-9.]+'), '.')::int[] < array[2, 18, 1]
"""
# The policies TimescaleDB has for `positions`, and after how long each acts.
JOBS = """
    select proc_name, coalesce(config->>'drop_after', config->>'compress_after')
    from timescaledb_information.jobs
    where hypertable_name = 'positions' and proc_name in ('policy_retention', 'policy_compression')
"""


@dataclass(frozen=True, slots=True)
class Policy:
    """In days. 0: keep for ever, compress never."""

    ahead: int
    retention: int = 0
    compress_after: int = 0

    @classmethod
    def of_settings(cls) -> "Policy":
        return cls(
            settings.POSITIONS_PARTITIONS_AHEAD_DAYS,
            settings.POSITIONS_RETENTION_DAYS,
            settings.POSITIONS_COMPRESS_AFTER_DAYS,
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done; nothing, mostly. `statements` are TimescaleDB's."""

    days: tuple[date, ...] = ()
    partitions: tuple[str, ...] = ()
    rows: int = 0
    before: datetime | None = None
    statements: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.days or self.partitions or self.rows or self.statements)


class BusyError(Exception):
    """Another process is at it, or uses what has to be locked; nothing was done, and later will do."""


class PartitionKeeper:
    """For a loop to call as often as it likes: acts once an hour, and sooner when it could not."""

    def __init__(self, policy: Policy | None = None) -> None:
        self._policy = policy
        self._at = 0.0

    def keep(self) -> None:
        """Do what is due, without waiting for anybody. Raises OperationalError while PostgreSQL is away."""
        if time.monotonic() < self._at:
            return
        self._at = time.monotonic() + TRY_AGAIN_S
        try:
            maintain(self._policy or Policy.of_settings(), datetime.now(UTC))
        except BusyError as error:
            log.info("partitions wait", reason=str(error))
            return
        except NotSupportedError as error:  # TimescaleDB without its community licence has no policies
            log.error("partitions", error=str(error).strip())
        self._at = time.monotonic() + DUE_EVERY_S


def maintain(policy: Policy, now: datetime) -> Plan:
    """Do what `policy` asks for at `now`; what was done. Raises BusyError, having done nothing or a part."""
    plan = plan_for(policy, now)
    for act in _acts(plan):
        with _alone():
            act()
    if plan:
        log.info("partitions", made=len(plan.days), dropped=plan.partitions, deleted=plan.rows)
    return plan


def plan_for(policy: Policy, now: datetime) -> Plan:
    """What `policy` asks for at `now` and is not done yet. Takes no lock."""
    if _is_hypertable():
        return _plan_for_chunks(policy, now)
    there = dict(_days_there())
    today = now.astimezone(UTC).date()
    wanted = [today + n * DAY for n in range(-1, policy.ahead + 1)]
    made = tuple(day for day in wanted if day not in there)
    if not policy.retention:
        return Plan(made)
    before = datetime.combine(today - policy.retention * DAY, datetime.min.time(), UTC)
    expired = tuple(name for day, name in there.items() if day < before.date() and not _news(name, before))
    [(rows,)] = _rows(f"select count(*) {FORGOTTEN}", {"before": before})
    return Plan(made, expired, rows, before)


def _plan_for_chunks(policy: Policy, now: datetime) -> Plan:
    if policy.compress_after and (found := _rows(LOSES_ROWS)):
        raise NotSupportedError(
            f"positions are compressed by TimescaleDB 2.18.1 or later: {found[0][0]} loses late ones"
        )
    statements = tuple(timescale_statements(policy, dict(_rows(JOBS))))
    if not policy.retention:
        return Plan(statements=statements)
    before = datetime.combine(now.astimezone(UTC).date() - policy.retention * DAY, datetime.min.time(), UTC)
    expired = tuple(name for (name,) in _rows(CHUNKS, [before]) if not _news(name, before))
    return Plan(partitions=expired, before=before, statements=statements)


def timescale_statements(policy: Policy, jobs: Mapping[str, str]) -> Iterator[str]:
    """What brings the policies that TimescaleDB has, by name and time, to those of `policy`: compression, no other."""
    if "policy_retention" in jobs:
        yield "select remove_retention_policy('positions', if_exists => true)"
    if not _differs(jobs.get("policy_compression"), policy.compress_after):
        return
    if "policy_compression" in jobs:
        yield "select remove_compression_policy('positions', if_exists => true)"
    if policy.compress_after:
        yield (
            "alter table positions set (timescaledb.compress, timescaledb.compress_segmentby = 'device_id',"
            " timescaledb.compress_orderby = 'ts desc')"
        )
        yield f"select add_compression_policy('positions', interval '{policy.compress_after} days')"


def _differs(there: str | None, days: int) -> bool:
    return there != {0: None, 1: "1 day"}.get(days, f"{days} days")


@contextmanager
def _alone() -> Iterator[None]:
    """A transaction of its own that no other keeper runs beside, and that waits for a lock for a moment only."""
    try:
        with transaction.atomic():
            _execute(f"set local lock_timeout = '{LOCK_TIMEOUT}'")
            if _rows("select pg_try_advisory_xact_lock(%s)", [ADVISORY_LOCK]) != [(True,)]:
                raise BusyError("another process is at it")
            yield
    except OperationalError as error:
        if isinstance(error.__cause__, psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected):
            raise BusyError(str(error).strip()) from error
        raise


def _acts(plan: Plan) -> Iterator[Callable[[], None]]:
    """Each takes its locks alone, so that none is held while the next is prepared: a day takes 20 ms."""
    for day in plan.days:
        yield partial(_execute, "select trm_make_position_partitions(%s, %s)", [day, day])
    for name in plan.partitions:
        yield partial(_drop, name, plan.before)
    if plan.rows:
        yield partial(_execute, f"delete {FORGOTTEN}", {"before": plan.before})
    if plan.statements:
        yield partial(_run, plan.statements)


def _drop(name: str, before: datetime | None) -> None:
    """Drop a partition or chunk, unless a late record has come into it since it was looked at."""
    _execute(f"lock table {name} in share mode")
    if _news(name, before):
        return
    if PARTITION.fullmatch(name):
        _execute(f"drop table {name}")
    else:
        _execute(DROP_CHUNK, [name])


def _run(statements: Sequence[str]) -> None:
    for statement in statements:
        _execute(statement)


def _days_there() -> Iterator[tuple[date, str]]:
    for (name,) in _rows(PARTITIONS):
        if match := PARTITION.fullmatch(name):
            yield datetime.strptime(match[1], "%Y%m%d").date(), name


def _is_hypertable() -> bool:
    return _rows("select to_regclass('positions_default') is null") == [(True,)]


def _news(name: str, before: datetime | None) -> bool:
    return _rows(NEWS.format(name=name), [before]) == [(True,)]


def _execute(statement: str, values: Any = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _rows(statement: str, values: Any = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
