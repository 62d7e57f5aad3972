"""Spreadsheets people send: CSV as Excel and others save it, and XLSX, read into plain text; and written."""

import csv
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO, StringIO
from typing import Any

import openpyxl
from django.utils.translation import gettext as _
from openpyxl.cell import WriteOnlyCell

from apps.common.cells import guarded, unguarded

LARGEST = 5 * 2**20  # bytes of a file
LARGEST_UNPACKED = 60 * 2**20  # bytes of what an XLSX file unpacks to
MOST_ROWS = 10_000
MOST_COLUMNS = 200


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong: row (1 is the row of names; 0 the file), field ("" for the whole row), and why."""

    row: int
    field: str
    reason: str

    def __str__(self) -> str:
        row = _("row %(row)d") % {"row": self.row} if self.row else ""
        place = ", ".join(filter(None, [row, self.field]))
        return f"{place}: {self.reason}" if place else self.reason


class Unreadable(ValueError):
    """A file that is no table; the text says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the file: its number as a spreadsheet shows it, and its cells by the names of the columns."""

    row: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a file holds; `names` are the columns, in small letters with underscores."""

    names: tuple[str, ...]
    lines: tuple[Line, ...]


def read(file_name: str, content: bytes) -> Sheet:
    """The table in a CSV or XLSX file. Raises Unreadable, naming the file and the reason."""
    try:
        if len(content) > LARGEST:
            raise Unreadable(_("larger than %(size)d MiB") % {"size": LARGEST // 2**20})
        rows = _xlsx(content) if content[:2] == b"PK" else _csv(content)
        return _sheet([(number, cells) for number, cells in rows if any(cells)])
    except Unreadable as error:
        raise Unreadable(f"{file_name}: {error}") from error


def write_csv(names: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """UTF-8 with a byte order mark, commas; what a spreadsheet would run as a formula is guarded."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(names)
    writer.writerows([guarded(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def write_xlsx(names: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """One sheet, every cell a text: so that a tracker's number is not rounded, and no formula runs."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("TRM")
    sheet.freeze_panes = "A2"
    for row in (names, *rows):
        sheet.append([_text_cell(sheet, cell) for cell in row])
    out = BytesIO()
    book.save(out)
    return out.getvalue()


# By the end of a file's name: who writes it, and its media type.
WRITERS = {
    "csv": (write_csv, "text/csv; charset=utf-8"),
    "xlsx": (write_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}


def _text_cell(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(sheet, value=text)
    cell.data_type, cell.number_format = "s", "@"
    return cell


def _sheet(rows: list[tuple[int, list[str]]]) -> Sheet:
    if not rows:
        raise Unreadable(_("it is empty: the first row must name the columns"))
    (_number, first), *others = rows
    names = tuple(_name(cell) for cell in first)
    while names and not names[-1]:
        names = names[:-1]
    _check(names, others)
    lines = (Line(number, dict(zip(names, cells + [""] * len(names), strict=False))) for number, cells in others)
    return Sheet(names, tuple(lines))


def _check(names: tuple[str, ...], rows: list[tuple[int, list[str]]]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if "" in names:
        raise Unreadable(_("column %(column)d has no name in the first row") % {"column": names.index("") + 1})
    if twice:
        raise Unreadable(_("two columns are called %(names)s") % {"names": ", ".join(twice)})
    if len(rows) > MOST_ROWS:
        raise Unreadable(_("more than %(most)d rows") % {"most": MOST_ROWS})
    wide = next((number for number, cells in rows if any(cells[len(names) :])), None)
    if wide is not None:
        raise Unreadable(_("row %(row)d has more cells than the first row has names") % {"row": wide})


def _name(text: str) -> str:
    return "_".join(text.casefold().replace("-", " ").replace("_", " ").split())


def _csv(content: bytes) -> Iterator[tuple[int, list[str]]]:
    text = _decoded(content)
    if "\x00" in text:
        raise Unreadable(_("it holds NUL characters: it is no text"))
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(";\t,", key=first.count)  # Excel writes semicolons where the comma is for decimals
    reader = csv.reader(StringIO(text), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            yield reader.line_num, [unguarded(cell.strip()) for cell in cells]
    except csv.Error as error:
        raise Unreadable(_("row %(row)d is no CSV: %(error)s") % {"row": reader.line_num, "error": error}) from error


def _decoded(content: bytes) -> str:
    try:
        if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return content.decode("utf-16")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(_("it is not in UTF-8: save it as “CSV UTF-8”, or as XLSX")) from error


def _xlsx(content: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        with zipfile.ZipFile(BytesIO(content)) as parts:
            if sum(part.file_size for part in parts.infolist()) > LARGEST_UNPACKED:
                raise Unreadable(_("it unpacks to too much"))
        book = openpyxl.load_workbook(BytesIO(content), read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable(_("it is no XLSX file")) from error
    sheet = book.worksheets[0]
    rows = sheet.iter_rows(max_row=MOST_ROWS + 2, max_col=MOST_COLUMNS, values_only=True)
    for number, cells in enumerate(rows, start=1):
        yield number, [unguarded(_text(cell)) for cell in cells]


def _text(value: Any) -> str:
    """A cell as it would stand in a CSV file: whole numbers without a fraction, days and instants in ISO."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        midnight = not (value.hour or value.minute or value.second)
        return value.date().isoformat() if midnight else value.isoformat(sep=" ", timespec="seconds")
    return value.isoformat() if isinstance(value, date) else str(value).strip()
