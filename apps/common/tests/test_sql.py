"""The files of sql/: applied in order, twice without a trace, with faults that can be found."""

import datetime as dt
import threading
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections

from apps.common import sql
from apps.common.sql import Phase, SqlFileError, apply_sql, prepare_database, sql_files

# Everything sql/ can change, as text: columns, constraints, indexes, functions, partitions, extensions.
CATALOG = """
SELECT 'column', table_name, column_name, data_type || ' ' || is_nullable || coalesce(column_default, '')
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'function', proname, '', prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'partition', relname, '', coalesce(pg_get_expr(relpartbound, oid), '')
FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
UNION ALL SELECT 'extension', extname, extversion, '' FROM pg_extension
ORDER BY 1, 2, 3, 4
"""
INSERT = """
INSERT INTO positions
    (device_id, ts, latitude, longitude, altitude, angle, speed, satellites, priority, codec, attributes)
VALUES (%s, %s, 41.3, 19.8, 100, 0, 50, 9, 0, '8E', '{}') ON CONFLICT (device_id, ts) DO NOTHING
"""
FAR_DAY = dt.date(2031, 5, 17)


def _rows(query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _insert(device: str, ts: dt.datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [device, ts])
        stored: int = cursor.rowcount
    return stored


def _make_partitions(first: dt.date, last: dt.date) -> int:
    made: int = _rows("SELECT trm_make_position_partitions(%s, %s)", first, last)[0][0]
    return made


def _noon(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(12), dt.UTC)


@pytest.fixture
def native() -> None:
    if _rows("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'"):
        pytest.skip("TimescaleDB makes its own chunks")


@pytest.mark.django_db
def test_preparing_a_database_again_changes_nothing() -> None:
    before = _rows(CATALOG)
    prepare_database()
    assert _rows(CATALOG) == before
    assert {name for kind, name, *_ in before if kind == "extension"} >= {"btree_gist"}


@pytest.mark.django_db
def test_positions_have_the_columns_of_the_contract() -> None:
    columns = _rows(
        "SELECT column_name, data_type, is_nullable FROM information_schema.columns"
        " WHERE table_name = 'positions' ORDER BY ordinal_position"
    )
    assert columns == [
        ("device_id", "text", "NO"),
        ("ts", "timestamp with time zone", "NO"),
        ("ingested_at", "timestamp with time zone", "NO"),
        ("latitude", "double precision", "NO"),
        ("longitude", "double precision", "NO"),
        ("altitude", "real", "NO"),
        ("angle", "real", "NO"),
        ("speed", "real", "NO"),
        ("satellites", "smallint", "NO"),
        ("priority", "smallint", "NO"),
        ("codec", "text", "NO"),
        ("attributes", "jsonb", "NO"),
        ("decoded_attributes", "jsonb", "YES"),
        ("faulty", "boolean", "NO"),
    ]


@pytest.mark.django_db
def test_a_fix_is_stored_once_whichever_day_it_is_of() -> None:
    for day in (dt.datetime.now(dt.UTC).date(), FAR_DAY, dt.date(1999, 1, 1)):
        assert _insert("350", _noon(day)) == 1
        assert _insert("350", _noon(day)) == 0


@pytest.mark.django_db
def test_a_new_partition_takes_the_rows_that_waited_in_the_default_one(native: None) -> None:
    midnight = dt.datetime.combine(FAR_DAY, dt.time(), dt.UTC)
    day = dt.timedelta(days=1)
    instants = [midnight - dt.timedelta(milliseconds=1), midnight, _noon(FAR_DAY), midnight + day]
    for ts in instants:
        _insert("350", ts)
    assert _make_partitions(FAR_DAY, FAR_DAY) == 1
    assert _make_partitions(FAR_DAY, FAR_DAY) == 0
    assert _rows("SELECT ts FROM positions_20310517 ORDER BY ts") == [(midnight,), (_noon(FAR_DAY),)]
    assert [ts for (ts,) in _rows("SELECT ts FROM positions ORDER BY ts")] == instants
    assert _insert("350", midnight) == 0
    assert _make_partitions(FAR_DAY - day, FAR_DAY + day) == 2
    assert _rows("SELECT count(*) FROM positions_default") == [(0,)]


@pytest.mark.django_db
def test_a_new_partition_has_the_indexes_of_the_others(native: None) -> None:
    _make_partitions(FAR_DAY, FAR_DAY)
    indexes = "SELECT count(*) FROM pg_index WHERE indrelid = %s::regclass"
    assert _rows(indexes, "positions_20310517") == _rows(indexes, "positions_default") == [(4,)]


@pytest.mark.django_db(transaction=True)
def test_two_processes_making_the_same_partitions_do_not_collide(native: None) -> None:
    def make() -> None:
        try:
            made.append(_make_partitions(FAR_DAY, FAR_DAY + dt.timedelta(days=3)))
        finally:
            connections.close_all()

    made: list[int] = []
    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    try:
        assert sorted(made) == [0, 0, 0, 4]
    finally:
        for offset in range(4):
            with connection.cursor() as cursor:
                cursor.execute(f"DROP TABLE positions_{FAR_DAY + dt.timedelta(days=offset):%Y%m%d}")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", [1, 2])
def test_positions_are_empty_again_after_a_test_that_commits(turn: int) -> None:
    assert _rows("SELECT count(*) FROM positions") == [(0,)]
    _insert("350", _noon(FAR_DAY))


@pytest.mark.django_db
def test_postgis_never_refuses_a_geometry_that_trm_accepts() -> None:
    if not _rows("SELECT 1 FROM pg_extension WHERE extname = 'postgis'"):
        pytest.skip("this server has no PostGIS")
    assert _rows("""SELECT ST_AsText(trm_geometry('{"type": "Point", "coordinates": [19.8, 41.3]}'))""") == [
        ("POINT(19.8 41.3)",)
    ]
    assert _rows("""SELECT trm_geometry('{"type": "Polygon", "coordinates": "none"}')""") == [(None,)]
    assert _rows("SELECT trm_geometry(NULL)") == [(None,)]
    assert _rows("SELECT count(*) FROM geometry_columns WHERE f_geometry_column = 'geom'") == [(3,)]


def test_files_below_500_come_before_migrate_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("510_b.sql", "020_z.sql", "499_a.sql", "500_c.sql", "readme.txt"):
        (tmp_path / name).touch()
    assert [p.name for p in sql_files(Phase.BEFORE_MIGRATE, tmp_path)] == ["020_z.sql", "499_a.sql"]
    assert [p.name for p in sql_files(Phase.AFTER_MIGRATE, tmp_path)] == ["500_c.sql", "510_b.sql"]


@pytest.mark.parametrize("name", ["20_positions.sql", "0020_positions.sql", "020-positions.sql"])
def test_a_misnamed_file_is_refused_and_not_left_out(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(SqlFileError, match=name):
        sql_files(Phase.BEFORE_MIGRATE, tmp_path)


@pytest.mark.django_db(transaction=True)
def test_a_failing_file_leaves_nothing_and_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "010_good.sql").write_text("SELECT '100%';")
    (tmp_path / "020_bad.sql").write_text("CREATE TABLE half (a int);\n\nSELECT no_such_column;\n")
    with pytest.raises(SqlFileError, match=r'^020_bad\.sql:3: column "no_such_column" does not exist'):
        apply_sql(Phase.BEFORE_MIGRATE, directory=tmp_path)
    assert _rows("SELECT to_regclass('half')") == [(None,)]
    ours = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    assert _rows(f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND {ours}") == [(0,)]


@pytest.mark.django_db
def test_a_fault_inside_a_block_gives_the_servers_context(tmp_path: Path) -> None:
    (tmp_path / "010_block.sql").write_text("DO $$ BEGIN\n RAISE 'not today'; END $$;")
    with pytest.raises(SqlFileError, match=r"010_block\.sql: not today; PL/pgSQL function .* line 2"):
        apply_sql(Phase.BEFORE_MIGRATE, directory=tmp_path)


@pytest.mark.django_db
def test_the_command_waits_with_the_later_files_until_migrations_are_applied(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("apply_sql")
    assert "applied 510_postgis.sql" in capsys.readouterr().out
    monkeypatch.setattr("apps.common.management.commands.apply_sql.is_migrated", lambda: False)
    call_command("apply_sql")
    assert capsys.readouterr().out.endswith("run migrate, then apply_sql again.\n")


@pytest.mark.django_db(transaction=True)
def test_only_one_process_prepares_a_database_at_a_time() -> None:
    with sql.locked("default"):
        other = connection.copy()
        try:
            with other.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_lock(%s)", [sql.ADVISORY_LOCK])
                assert cursor.fetchone() == (False,)
        finally:
            other.close()
