"""Files as people send them: what Excel and others write is read, what is no table is refused with the reason."""

from datetime import date, datetime
from io import BytesIO

import openpyxl
import pytest

from apps.common.bulk import choice, day, whole, yes_or_no
from apps.common.cells import guarded, unguarded
from apps.common.sheets import Unreadable, read, write_csv, write_xlsx


def rows(content: bytes) -> list[dict[str, str]]:
    return [line.cells for line in read("file", content).lines]


@pytest.mark.parametrize(
    "content",
    [
        b"Race number,Class\n301,C-2\n",
        b"\xef\xbb\xbfrace_number;class\r\n301;C-2\r\n",
        "race_number\tclass\n301\tC-2\n".encode("utf-16"),
        b'RACE-NUMBER,"class"\n\n"301","C-2"\n,\n',
    ],
)
def test_what_spreadsheets_call_csv_is_read(content: bytes) -> None:
    assert rows(content) == [{"race_number": "301", "class": "C-2"}]


def test_rows_keep_the_number_the_spreadsheet_shows() -> None:
    sheet = read("file", b'a\n"1\n1"\n\n2\n')
    assert [(line.row, line.cells["a"]) for line in sheet.lines] == [(3, "1\n1"), (5, "2")]


def test_an_xlsx_file_gives_what_its_cells_show() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["race_number", "birth_date", "at", "device_1", "competing", "team"])
    sheet.append([301.0, datetime(1990, 5, 31), datetime(2026, 6, 6, 8, 30), 356307042441013, True, " Ekipi ë "])
    sheet.append([None, date(1990, 5, 31)])
    out = BytesIO()
    book.save(out)
    first, second = rows(out.getvalue())
    assert first == {
        "race_number": "301", "birth_date": "1990-05-31", "at": "2026-06-06 08:30:00",
        "device_1": "356307042441013", "competing": "yes", "team": "Ekipi ë",
    }  # fmt: skip
    assert second["birth_date"] == "1990-05-31" and second["race_number"] == ""


@pytest.mark.parametrize("write", [write_csv, write_xlsx])
@pytest.mark.parametrize("value", ["=1+1", "+355 69", "-5", "@x", "'quoted", "ë, ç; \n two", "0012", "356307042441013"])
def test_what_is_written_is_read_again(write: object, value: str) -> None:
    assert rows(write(["a"], [[value]])) == [{"a": value}]  # type: ignore[operator]


@pytest.mark.parametrize("value", ["=1+1", "+A1", "@SUM(A1)", "-A1", "\t=1"])
def test_a_formula_is_guarded_and_given_back(value: str) -> None:
    assert guarded(value) == f"'{value}" and unguarded(guarded(value)) == value


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"a,b\n1,2,3\n", "row 2 has more cells"),
        (b"a,A\n1,2\n", "two columns are called a"),
        (b"a,,b\n1,2,3\n", "column 2 has no name"),
        ("a\në\n".encode("cp1252"), "not in UTF-8"),
        (b"PK\x03\x04nonsense", "no XLSX"),
        (b"a\n\x00\n", "NUL"),
        (b'a\n"1\n', "row 2 is no CSV"),
        (b"a\n" + b"1\n" * 10_001, "more than 10000 rows"),
        (b"a" * (5 * 2**20 + 1), "larger than 5 MiB"),
    ],
)
def test_what_is_no_table_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=f"^file: .*{reason}"):
        read("file", content)


@pytest.mark.parametrize("value", ["4500", "4500,0", "4500.00", "4 500"])
def test_whole_numbers_are_read_as_people_write_them(value: str) -> None:
    assert whole(None)(value) == "4500"


@pytest.mark.parametrize("value", ["4,5", "-1", "x", "3,56307E+14", "99999999999"])
def test_what_is_no_whole_number_is_refused(value: str) -> None:
    with pytest.raises(ValueError):
        whole(None)(value)


@pytest.mark.parametrize("value", ["1990-05-31", "31.05.1990", "31/05/1990", "33024", "1990-05-31 00:00:00"])
def test_days_are_read_as_people_and_excel_write_them(value: str) -> None:
    assert day(value) == "1990-05-31"


def test_words_are_read_in_either_case_and_by_their_label() -> None:
    read_status = choice([("co-pilot", "Bashkëdrejtues")])
    assert read_status("CO-PILOT") == read_status("bashkëdrejtues") == "co-pilot"
    assert (yes_or_no("PO"), yes_or_no("0")) == ("yes", "no")
    with pytest.raises(ValueError, match="none of co-pilot"):
        read_status("driver")
