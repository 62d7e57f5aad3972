"""An event as a data set: positions, crossings, penalties and results, as files with their dictionary.

No names, no phone numbers, no IMEI: an entry is its race number, its class and its id; trackers only on demand.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.db import connection, transaction

from apps.analytics.columns import Column, columns, dictionary
from apps.analytics.files import Folder, parquet

AT_ONCE = 200_000
WHO = """
    entry_id     text  Id of the entry, the same in all files.
    race_number  int   Race number.
    race_class   text  Code of its class.
"""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A file of the extract; `sql` takes the event's id, once, and gives `columns` in a fixed order of rows."""

    name: str
    columns: tuple[Column, ...]
    sql: str


def _dataset(name: str, table: str, sql: str) -> Dataset:
    return Dataset(name, columns(WHO) + columns(table), sql)


# `device` comes last, so that it can be left out.
POSITIONS = _dataset(
    "positions",
    """
    ts          instant  Time of the fix by the tracker's GPS.
    latitude    real     Degrees, WGS 84.
    longitude   real     Degrees, WGS 84.
    altitude    real     Metres.
    angle       real     Heading, degrees from 0 to 360.
    speed       real     km/h; 0 can also mean that there was no valid fix.
    satellites  int      Satellites in use; 0 = no fix.
    faulty      bool     Taken out of all use by an official.
    tracker     int      Which of the entry's trackers: 1 is the first by priority.
    device      text     IMEI.
    """,
    """
    select a.entry_id::text, a.race_number, a.code, p.ts, p.latitude, p.longitude, p.altitude, p.angle, p.speed,
           p.satellites, p.faulty, a.tracker, p.device_id
    from (
        select e.id as entry_id, e.race_number, c.code, d.imei, x.assigned_from, x.assigned_until,
               dense_rank() over (partition by e.id order by x.priority, d.imei) as tracker
        from entry_devices x join devices d on d.id = x.device_id join entries e on e.id = x.entry_id
        join classes c on c.id = e.race_class_id where e.event_id = %s
    ) a
    join positions p on p.device_id = a.imei and p.ts >= a.assigned_from
         and p.ts < coalesce(a.assigned_until, 'infinity')
    order by a.race_number, a.tracker, p.ts
    """,
)
CROSSINGS = _dataset(
    "crossings",
    """
    control         text     Id of the geofence, waypoint or speed zone.
    control_name    text     What people call it.
    direction       text     enter, leave or cut.
    ts              instant  Interpolated instant of the crossing.
    uncertainty_ms  int      How far it may be off, ms.
    before_ts       instant  Fix before.
    after_ts        instant  Fix after.
    device          text     IMEI.
    """,
    """
    select e.id::text, e.race_number, c.code, x.control::text, coalesce(f.name, w.type || ' ' || w.name, z.name, ''),
           x.direction, to_timestamp(x.ts / 1e3), x.uncertainty_ms, to_timestamp(x.before_ts / 1e3),
           to_timestamp(x.after_ts / 1e3), x.device
    from entry_crossings x join entries e on e.id = x.entry_id join classes c on c.id = e.race_class_id
    left join geofences f on f.id = x.control
    left join waypoints w on w.id = x.control
    left join speed_limit_zones z on z.id = x.control
    where e.event_id = %s order by e.race_number, x.ts, x.control, x.direction, x.device, x.occurrence
    """,
)
PENALTIES = _dataset(
    "penalties",
    """
    stage       text  Name of the stage.
    offence     text  Which offence: evaluator and target.
    type        text  Evaluator.
    seconds     real  Penalty, s.
    applies_to  text  What it counts for: stage, overall, start_order.
    status      text  proposed, confirmed, waived or imposed.
    article     text  Article of the regulations.
    """,
    """
    select e.id::text, e.race_number, c.code, s.name, p.key, p.type, p.seconds::float8,
           array_to_string(p.applies_to, ' '), p.status, p.article
    from entry_penalties p join entries e on e.id = p.entry_id join classes c on c.id = e.race_class_id
    join stages s on s.id = p.stage_id where e.event_id = %s order by e.race_number, s.starts_at, p.key
    """,
)
RESULT = """
    status      text  registered, running, finished, dnf, dns, otl, nc or dsq.
    time_ms     int   Time, ms.
    penalty_ms  int   Penalties, ms.
    total_ms    int   Total, ms.
    rank        int   Rank overall.
    class_rank  int   Rank in its class.
"""
RESULTS = _dataset(
    "stage_results",
    f"stage  text  Name of the stage.{RESULT}",
    """
    select e.id::text, e.race_number, c.code, s.name, r.status, r.time_ms, r.penalty_ms, r.total_ms, r.rank,
           r.class_rank
    from stage_results r join entries e on e.id = r.entry_id join classes c on c.id = e.race_class_id
    join stages s on s.id = r.stage_id where e.event_id = %s order by s.starts_at, r.rank nulls last, e.race_number
    """,
)
OVERALL = _dataset(
    "event_results",
    RESULT,
    """
    select e.id::text, e.race_number, c.code, r.status, r.time_ms, r.penalty_ms, r.total_ms, r.rank, r.class_rank
    from event_results r join entries e on e.id = r.entry_id join classes c on c.id = e.race_class_id
    where e.event_id = %s order by r.rank nulls last, e.race_number
    """,
)
DATASETS = (POSITIONS, CROSSINGS, PENALTIES, RESULTS, OVERALL)


class Target(Protocol):
    """What takes files by name."""

    def put(self, name: str, content: bytes) -> None: ...


def extract(event: str, target: Target, kind: str, *, devices: bool = False) -> Iterator[tuple[str, int]]:
    """Write an event's files, `parquet` or `csv`, all of one instant of the database; (file, rows) after each.

    Large data sets come in several files. Raises MissingExtraError.
    """
    kept = [_kept(one, devices) for one in DATASETS]
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("set transaction isolation level repeatable read, read only")
        for one in kept:
            for number, rows in enumerate(_rows(one, event)):
                name = f"{one.name}{f'-{number}' if number else ''}.{kind}"
                target.put(name, parquet(rows, one.columns) if kind == "parquet" else as_csv(rows, one.columns))
                yield name, len(rows)
    text = dictionary("Event extract", {one.name: one.columns for one in kept})
    target.put("DATA_DICTIONARY.md", text.encode())


def folder(url: str) -> Folder:
    """Where an extract goes; fsspec's URL or a path."""
    return Folder(url)


def _kept(one: Dataset, devices: bool) -> Dataset:
    names = tuple(column for column in one.columns if devices or column.name != "device")
    return Dataset(one.name, names, one.sql)


def _rows(one: Dataset, event: str) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of a data set, some at a time; one empty part when there is none."""
    with connection.connection.cursor(name=f"trm_extract_{one.name}") as cursor:
        cursor.execute(one.sql, [event])
        rows = cursor.fetchmany(AT_ONCE)
        while True:
            yield [row[: len(one.columns)] for row in rows]
            rows = cursor.fetchmany(AT_ONCE)
            if not rows:
                return


def as_csv(rows: Sequence[Sequence[Any]], of: Sequence[Column]) -> bytes:
    """RFC 4180, UTF-8, instants as ISO 8601 in UTC, nothing for null."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([column.name for column in of])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value).lower() if isinstance(value, bool) else value
