"""Imports of many rows: every cell read or refused, compared with what there is, all or nothing.

A kind of import (`apps.events.entry_import`, `apps.catalog.device_import`) says which columns it has, what there is
now in the same words as a file, and how a difference is written.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.common.sheets import Line, Problem, Sheet

SHORTENED = gettext_lazy("%(value)s was shortened by the spreadsheet: format the column as text")
UNWRITTEN = gettext_lazy(
    "the database refused it, most likely because somebody changed the same rows meanwhile: try again"
)
Read = Callable[[str], str]  # a cell as it was typed → as it is kept and compared; raises ValueError
Cells = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file; an empty cell is read as empty, or refused where it is `required`."""

    name: str
    read: Read
    required: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """What a cell changes."""

    field: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Change:
    """A row against what there is: `cells` are what it says, `before` what there is, None for what is new."""

    row: int
    key: str
    cells: Cells
    before: Cells | None

    @property
    def differences(self) -> list[Difference]:
        before = self.before or {}
        found = [Difference(name, before.get(name, ""), value) for name, value in self.cells.items()]
        return [one for one in found if one.old != one.new]

    def touches(self, *names: str) -> bool:
        return any(one.field.startswith(names) for one in self.differences)

    @property
    def kind(self) -> str:
        if self.before is None:
            return "new"
        return "changed" if self.differences else "same"


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do; with any problem it does nothing."""

    changes: tuple[Change, ...] = ()
    problems: tuple[Problem, ...] = ()

    def of(self, kind: str) -> list[Change]:
        return [change for change in self.changes if change.kind == kind]

    @property
    def writes(self) -> list[Change]:
        return [change for change in self.changes if change.kind != "same"]


class Refused(Exception):
    """An import that cannot be: nothing was written."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = tuple(problems)


@dataclass(slots=True)
class Parsed:
    """Rows whose every cell could be read, by row number, and what could not."""

    rows: dict[int, Cells] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def parse(sheet: Sheet, columns: Sequence[Column], key: str) -> Parsed:
    """Read every cell. A column that is not known is refused: misspelt, it would be lost without a word."""
    known = {column.name: column for column in columns}
    missing = [c.name for c in columns if c.required and c.name not in sheet.names]
    unknown = [name for name in sheet.names if name not in known]
    parsed = Parsed(problems=[Problem(1, name, _("this column is missing")) for name in missing])
    parsed.problems += [
        Problem(1, name, _("unknown column; there are %(names)s") % {"names": ", ".join(known)}) for name in unknown
    ]
    if not parsed.problems:
        for line in sheet.lines:
            _parse_line(parsed, line, known)
        parsed.problems += _twice(parsed.rows, key)
    return parsed


def _parse_line(parsed: Parsed, line: Line, known: Mapping[str, Column]) -> None:
    cells, wrong = {}, []
    for name, text in line.cells.items():
        try:
            cells[name] = _read(known[name], text)
        except ValueError as error:
            wrong.append(Problem(line.row, name, str(error)))
    parsed.problems += wrong
    if not wrong:
        parsed.rows[line.row] = cells


def _read(column: Column, text: str) -> str:
    if any(ord(letter) < 32 and letter not in "\t\n\r" for letter in text):
        raise ValueError(_("it holds control characters"))
    if not text:
        if column.required:
            raise ValueError(_("it is empty"))
        return ""
    return column.read(text)


def _twice(rows: Mapping[int, Cells], key: str) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for row, cells in rows.items():
        if cells[key] in first:
            yield Problem(
                row, key, _("%(value)s stands in row %(row)d already") % {"value": cells[key], "row": first[cells[key]]}
            )
        first.setdefault(cells[key], row)


def compare(rows: Mapping[int, Cells], current: Mapping[str, Cells], key: str) -> tuple[Change, ...]:
    """Each row against what there is under its key."""
    return tuple(Change(row, cells[key], cells, current.get(cells[key])) for row, cells in rows.items())


def text(model_field: Any) -> Read:
    """A text as long and of the form that a field of a model takes: `model_field` is what `get_field` gives."""

    def read(value: str) -> str:
        try:
            model_field.run_validators(value)
        except ValidationError as error:
            raise ValueError(" ".join(error.messages)) from error
        return value

    return read


def whole(model_field: Any, low: int = 0, high: int = 2**31 - 1) -> Read:
    """A whole number as people and spreadsheets write it: 301, 301.0, 301,0, 4 500."""

    def read(value: str) -> str:
        if re.fullmatch(r"\d([.,]\d+)?E\+?\d+", value, re.IGNORECASE):
            raise ValueError(SHORTENED % {"value": value})
        found = re.fullmatch(r"(\d{1,3}(?:[  ]\d{3})+|\d+)(?:[.,]0*)?", value)
        if not found:
            raise ValueError(_("“%(value)s” is no whole number") % {"value": value})
        number = int(re.sub(r"\D", "", found[1]))
        if not low <= number <= high:
            raise ValueError(
                _("%(number)d is not from %(low)d to %(high)d") % {"number": number, "low": low, "high": high}
            )
        return str(number)

    return read


def choice(labels: Iterable[tuple[str, object]]) -> Read:
    """One of a model's choices, by its value or its label in any language in use."""
    known = [(str(value), str(label)) for value, label in labels]

    def read(value: str) -> str:
        folded = value.casefold()
        for name, label in known:
            if folded in (name.casefold(), label.casefold()):
                return name
        raise ValueError(
            _("“%(value)s” is none of %(names)s") % {"value": value, "names": ", ".join(name for name, _label in known)}
        )

    return read


YES = frozenset({"yes", "true", "1", "x", "po"})
NO = frozenset({"no", "false", "0", "jo"})


def yes_or_no(value: str) -> str:
    folded = value.casefold()
    if folded not in YES | NO:
        raise ValueError(_("“%(value)s” is neither yes nor no") % {"value": value})
    return "yes" if folded in YES else "no"


DAYS = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%Y-%m-%d %H:%M:%S")
EXCEL_BEGINS = date(1899, 12, 30)


def day(value: str) -> str:
    """A day: 1990-05-31, 31.05.1990, 31/05/1990, or the number of days by which Excel counts."""
    if re.fullmatch(r"\d{5}", value):
        return (EXCEL_BEGINS + timedelta(days=int(value))).isoformat()
    for form in DAYS:
        try:
            return datetime.strptime(value, form).date().isoformat()
        except ValueError:
            continue
    raise ValueError(_("“%(value)s” is no day: write it as 1990-05-31 or 31.05.1990") % {"value": value})


def update(rows: Collection[Any], fields: Sequence[str]) -> None:
    """`bulk_update` that says when, too: what was computed from the rows is computed anew."""
    for row in rows:
        row.updated_at = timezone.now()
    if rows:
        next(iter(rows))._meta.default_manager.bulk_update(rows, [*fields, "updated_at"])
