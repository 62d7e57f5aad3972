"""A document before it is a file: who gives it out, what it is, its facts, its tables, who signs."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from apps.common.position import instant
from apps.events.models import Event
from apps.penalties.domain.formulas import clock
from apps.scoring.domain.outcome import canonical

Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """`name` heads it in a CSV file and never changes; `weight` is its share of the width of the page.

    A column that does not wrap holds numbers and times: it stands at the right.
    """

    name: str
    title: str
    weight: float
    wraps: bool = True
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """Rows under a heading of their own; "" for a table that needs none."""

    title: str
    rows: tuple[Cells, ...]


@dataclass(frozen=True, slots=True)
class Head:
    """Whose event it is; `zone` is the zone of every time on the paper."""

    organization: str
    event: str
    first_day: date
    last_day: date
    zone: str

    @property
    def days(self) -> str:
        return f"{_day(self.first_day)} – {_day(self.last_day)}"

    @property
    def clock(self) -> tzinfo:
        return ZoneInfo(self.zone)

    def at(self, when: datetime | None) -> str:
        """An instant as people read it: day, time to the second, zone; "" for none."""
        return "" if when is None else f"{when.astimezone(self.clock):%d.%m.%Y %H:%M:%S %Z}"

    def time(self, ts: int | None) -> str:
        """An instant (epoch ms) as a time of day, with milliseconds where there are any; "" for none."""
        if ts is None:
            return ""
        return f"{instant(ts).astimezone(self.clock):%H:%M:%S}" + (f".{ts % 1000:03}" if ts % 1000 else "")

    def day(self, ts: int) -> str:
        return _day(instant(ts).astimezone(self.clock).date())


@dataclass(frozen=True, slots=True)
class Paper:
    """One document. `badge` is its state in a word; `facts` are pairs of label and value.

    `form`: the rows are pairs, read one below the other, and not a table. `hash` is of the revision that is printed;
    where there is none it is of this content (`sealed`).
    """

    kind: str
    title: str
    head: Head
    columns: tuple[Column, ...]
    sections: tuple[Section, ...]
    stage: str = ""
    badge: str = ""
    revision: str = ""
    issued: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    facts: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    signatures: tuple[str, ...] = ()
    hash: str = ""
    form: bool = False

    @property
    def rows(self) -> list[Cells]:
        return [row for section in self.sections for row in section.rows]


def sealed(paper: Paper) -> Paper:
    """The paper with the SHA-256 of what it says."""
    content = [paper.kind, paper.title, paper.stage, paper.head.event, paper.head.at(paper.issued), paper.facts]
    tables = [[section.title, section.rows] for section in paper.sections]
    return replace(paper, hash=hashlib.sha256(canonical([content, tables]).encode()).hexdigest())


def head_of(event: Event) -> Head:
    """The head by the event as it is now."""
    zone = ZoneInfo(event.time_zone)
    first, last = event.starts_at.astimezone(zone).date(), event.ends_at.astimezone(zone).date()
    return Head(event.organization.name, event.name, first, last, event.time_zone)


def duration(ms: int | None) -> str:
    """h:mm:ss, with milliseconds where there are any; "" for none."""
    return "" if ms is None else clock(ms)


def number(value: int | None) -> str:
    return "" if value is None else str(value)


def in_sections(rows: Sequence[tuple[str, Cells]]) -> tuple[Section, ...]:
    """Rows with the title of the section of each, in the order in which the titles come first."""
    found: dict[str, list[Cells]] = {}
    for title, cells in rows:
        found.setdefault(title, []).append(cells)
    return tuple(Section(title, tuple(cells)) for title, cells in found.items()) or (Section("", ()),)


def race_control() -> tuple[str, ...]:
    """Who signs what is published."""
    return (_("Clerk of the course"), _("Chief timekeeper"), _("Posted on the notice board (date, time)"))


def _day(day: date) -> str:
    return f"{day:%d.%m.%Y}"
