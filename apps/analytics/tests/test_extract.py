"""An event's extract holds what the tables hold, the same in both formats, and nothing personal unless asked."""

import csv
from io import StringIO
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from redis import Redis

from apps.analytics import extract as extracting
from apps.analytics.extract import DATASETS
from apps.scoring.tests import rally
from apps.scoring.tests.pipes import race

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def driven(redis: Redis) -> rally.Rally:
    built = rally.build(3)
    rally.build(1)  # another event, of which nothing may be in the files
    return race(redis, built)


def export(driven: rally.Rally, *words: str) -> str:
    out = StringIO()
    call_command("export_event", driven.event.slug, *words, stdout=out)
    return out.getvalue()


def count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"select count(*) from {table}")
        return int(cursor.fetchone()[0])


def tables(folder: Path) -> dict[str, list[dict[str, Any]]]:
    return {one.name: pyarrow.parquet.read_table(folder / f"{one.name}.parquet").to_pylist() for one in DATASETS}


def test_parquet_holds_all_rows_documented_and_without_trackers(driven: rally.Rally, tmp_path: Path) -> None:
    shown = export(driven, "--to", str(tmp_path))
    found = tables(tmp_path)
    assert {name: len(rows) for name, rows in found.items()} == {
        "positions": count("positions"), "crossings": count("entry_crossings"), "penalties": count("entry_penalties"),
        "stage_results": count("stage_results"), "event_results": count("event_results"),
    }  # fmt: skip
    assert f"positions.parquet: {count('positions')} rows" in shown
    assert {row["race_number"] for row in found["crossings"]} == {301, 302, 303}
    assert {row["control_name"] for row in found["crossings"]} >= {"DSS DSS 0", "ASS ASS 4000"}
    assert not any("device" in row for rows in found.values() for row in rows)
    assert not any(
        imei in file.read_bytes().decode(errors="replace") for imei in driven.imeis for file in tmp_path.iterdir()
    )
    text = (tmp_path / "DATA_DICTIONARY.md").read_text()
    for one in DATASETS:
        assert f"## {one.name}" in text
    assert [row["rank"] for row in found["event_results"]] == [1, 2, 3]
    assert found["positions"] == sorted(found["positions"], key=lambda row: (row["race_number"], row["ts"]))


def test_csv_says_the_same(driven: rally.Rally, tmp_path: Path) -> None:
    export(driven, "--to", str(tmp_path / "new" / "deep"), "--format", "csv")
    export(driven, "--to", str(tmp_path))
    for name, rows in tables(tmp_path).items():
        with (tmp_path / "new" / "deep" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            lines = list(csv.DictReader(file))
        assert [tuple(line) for line in lines[:1]] == [tuple(row) for row in rows[:1]]
        assert [line["race_number"] for line in lines] == [str(row["race_number"]) for row in rows]
        if name == "crossings":
            wanted = [row["ts"].isoformat(timespec="milliseconds").replace("+00:00", "Z") for row in rows]
            assert [line["ts"] for line in lines] == wanted


def test_trackers_on_demand_and_large_sets_in_parts(
    driven: rally.Rally, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extracting, "AT_ONCE", 100)
    export(driven, "--to", f"file://{tmp_path}", "--with-devices")
    files = sorted(tmp_path.glob("positions*.parquet"))
    rows = [row for file in files for row in pyarrow.parquet.read_table(file).to_pylist()]
    assert len(files) > 1 and len(rows) == count("positions")
    assert {row["device"] for row in rows} == set(driven.imeis)


@pytest.mark.parametrize(("to", "said"), [("nowhere://x", "nowhere"), ("/proc/nothing/here", "/proc/nothing/here")])
def test_a_place_that_cannot_be_written_is_said(driven: rally.Rally, to: str, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        export(driven, "--to", to)
