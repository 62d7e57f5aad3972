"""Days of positions on a real PostgreSQL: made ahead, dropped when asked, and never in a writer's way.

TimescaleDB's policies are checked as text alone, except where the server of the run has it.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import NotSupportedError, OperationalError, connection
from pytest_django import DjangoAssertNumQueries, Settings

from apps.telemetry import partitions
from apps.telemetry.partitions import BusyError, PartitionKeeper, Plan, Policy, maintain, plan_for, timescale_statements

NOW = datetime(2033, 5, 17, 10, tzinfo=UTC)  # a day far from the ones that sql/ made
TODAY, DAY = NOW.date(), timedelta(days=1)
INSERT = """
    insert into positions (device_id, ts, ingested_at, latitude, longitude, altitude, angle, speed, satellites,
                           priority, codec, attributes)
    values (%s, %s, %s, 41.3, 19.8, 100, 0, 50, 9, 0, '8E', '{}')
"""
real_server = pytest.mark.django_db(transaction=True)


def sql(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
    return rows


def names() -> set[str]:
    return {name for (name,) in sql(partitions.PARTITIONS)}


def name(day: date) -> str:
    return f"positions_{day:%Y%m%d}"


def insert(device: str, ts: datetime, arrived: datetime) -> None:
    sql(INSERT, device, ts, arrived)


def devices() -> set[str]:
    return {device for (device,) in sql("select device_id from positions")}


@pytest.fixture
def native(transactional_db: None) -> Iterator[None]:
    """The partitions are those of sql/ before and after; what a test drops is its own."""
    if partitions._is_hypertable():
        pytest.skip("TimescaleDB makes its own chunks")
    before = names()
    yield
    for made in names() - before:
        if made.startswith("positions_2"):
            sql(f"drop table {made}")
    assert before <= names()


@pytest.fixture
def holder(native: None) -> Iterator[psycopg.Connection]:
    """Another session, in a transaction."""
    s = connection.settings_dict
    with psycopg.connect(
        host=s["HOST"], port=s["PORT"], user=s["USER"], password=s["PASSWORD"], dbname=s["NAME"]
    ) as other:
        yield other
        other.rollback()


def test_days_are_made_ahead_once(native: None) -> None:
    assert maintain(Policy(3), NOW).days == tuple(TODAY + n * DAY for n in range(-1, 4))
    assert {name(TODAY - DAY), name(TODAY + 3 * DAY)} <= names()
    assert maintain(Policy(3), NOW) == Plan()
    assert maintain(Policy(4), NOW).days == (TODAY + 4 * DAY,)


def test_rows_that_waited_in_the_default_partition_move_to_their_day(native: None) -> None:
    for device, ts in (("350", NOW), ("351", NOW + DAY), ("352", NOW + 9 * DAY)):
        insert(device, ts, NOW)
    maintain(Policy(2), NOW)
    assert sql(f"select device_id from {name(TODAY)}") == [("350",)]
    assert sql(f"select device_id from {name(TODAY + DAY)}") == [("351",)]
    assert sql("select device_id from positions_default") == [("352",)]
    with pytest.raises(Exception, match="duplicate key"):
        insert("350", NOW, NOW)


def test_without_a_retention_nothing_is_ever_dropped(native: None) -> None:
    maintain(Policy(1), NOW)
    insert("350", NOW, NOW)
    assert not plan_for(Policy(1, retention=0), NOW + 5000 * DAY).partitions
    maintain(Policy(1, retention=0), NOW + 5000 * DAY)
    assert name(TODAY) in names() and devices() == {"350"}


def test_old_days_are_dropped_when_asked_and_what_came_lately_stays(native: None) -> None:
    """An upload that came yesterday may be what a protest of today is about, however old its fixes are."""
    # Long ago, so that the partitions of sql/ are no part of this.
    then = datetime(2001, 3, 5, 10, tzinfo=UTC)
    maintain(Policy(1), then)
    insert("old", then, then)
    insert("late upload", then + DAY, then + 29 * DAY)
    insert("lost clock, old", then - 900 * DAY, then)
    insert("lost clock, new", then - 900 * DAY, then + 29 * DAY)
    done = maintain(Policy(1, retention=28), then + 30 * DAY)
    assert done.partitions == (name(then.date() - DAY), name(then.date())) and done.rows == 1
    assert devices() == {"late upload", "lost clock, new"}
    assert not {*done.partitions} & names() and name(then.date() + DAY) in names()
    assert not maintain(Policy(1, retention=28), then + 30 * DAY)


def test_a_late_row_that_comes_between_the_look_and_the_drop_keeps_its_partition(
    native: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    then = datetime(2001, 3, 5, 10, tzinfo=UTC)
    maintain(Policy(1), then)
    plan = plan_for(Policy(1, retention=28), then + 60 * DAY)
    insert("late", then, then + 60 * DAY)
    monkeypatch.setattr(partitions, "plan_for", lambda *_: plan)
    maintain(Policy(1, retention=28), then + 60 * DAY)
    assert devices() == {"late"} and name(then.date()) in names()


def test_keepers_at_once_make_each_day_once_and_none_fails(native: None) -> None:
    together = Barrier(4)

    def keep() -> bool:
        try:
            together.wait()
            return bool(maintain(Policy(5), NOW))
        except BusyError:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        results = [future.result() for future in [pool.submit(keep) for _ in range(4)]]
    assert any(results)
    assert maintain(Policy(5), NOW) == Plan()


def test_a_keeper_never_waits_long_behind_a_reader_and_comes_back(
    holder: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for the lock makes all writers of lost clocks wait behind him."""
    holder.execute("select count(*) from positions_default")
    keeper, began = PartitionKeeper(Policy(30)), time.monotonic()
    keeper.keep()
    assert time.monotonic() - began < 2
    with pytest.raises(BusyError, match="lock timeout"):
        maintain(Policy(30), datetime.now(UTC))
    holder.rollback()
    keeper.keep()
    assert plan_for(Policy(30), datetime.now(UTC)).days, "it is not yet due"
    monkeypatch.setattr(time, "monotonic", lambda: began + partitions.TRY_AGAIN_S + 2)
    keeper.keep()
    assert not plan_for(Policy(30), datetime.now(UTC))


def test_writers_go_on_while_days_are_made(holder: psycopg.Connection) -> None:
    """The function holds the lock of the default partition until its transaction ends: other days know nothing."""
    maintain(Policy(1), NOW)
    holder.execute("select trm_make_position_partitions(%s, %s)", [TODAY + 5 * DAY, TODAY + 6 * DAY])
    sql("set lock_timeout = '1s'")
    try:
        insert("350", NOW, NOW)
        with pytest.raises(OperationalError, match="lock timeout"):
            insert("350", NOW - 9000 * DAY, NOW)
    finally:
        sql("reset lock_timeout")


def test_a_keeper_asks_the_server_once_an_hour(native: None, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    keeper = PartitionKeeper(Policy(14))
    keeper.keep()
    with django_assert_num_queries(0):
        for _ in range(1000):
            keeper.keep()


def test_a_dry_run_says_what_it_would_do_and_does_nothing(
    native: None, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.POSITIONS_PARTITIONS_AHEAD_DAYS = 30
    settings.POSITIONS_RETENTION_DAYS = 9000
    insert("old", datetime(1999, 1, 1, tzinfo=UTC), datetime(1999, 1, 1, tzinfo=UTC))
    before = names()
    call_command("maintain_positions", "--dry-run")
    said = capsys.readouterr().out
    last = datetime.now(UTC).date() + 30 * DAY
    assert f"would make the partition of {last}\n" in said
    assert "would delete 1 positions of days without a partition\n" in said
    assert names() == before and devices() == {"old"}
    call_command("maintain_positions")
    assert name(last) in names() and devices() == set()
    capsys.readouterr()
    call_command("maintain_positions")
    assert capsys.readouterr().out == "nothing to do\n"


def test_the_command_says_who_is_in_the_way(holder: psycopg.Connection, settings: Settings) -> None:
    holder.execute("select pg_advisory_xact_lock(%s)", [partitions.ADVISORY_LOCK])
    settings.POSITIONS_PARTITIONS_AHEAD_DAYS = 30
    with pytest.raises(CommandError, match="another process is at it"):
        call_command("maintain_positions")


def test_timescaledb_gets_the_policies_that_differ_and_no_others() -> None:
    policy = Policy(14, retention=365, compress_after=1)
    first = list(timescale_statements(policy, {}))
    assert not any("retention" in statement for statement in first)
    assert "select add_compression_policy('positions', interval '1 days')" in first
    assert any("timescaledb.compress_segmentby = 'device_id'" in statement for statement in first)
    assert list(timescale_statements(policy, {"policy_compression": "1 day"})) == []
    there = {"policy_retention": "365 days", "policy_compression": "1 day"}
    assert list(timescale_statements(Policy(14), {})) == []
    assert list(timescale_statements(Policy(14), there)) == [
        "select remove_retention_policy('positions', if_exists => true)",
        "select remove_compression_policy('positions', if_exists => true)",
    ]


@real_server
def test_a_timescaledb_takes_the_policies_twice() -> None:
    _wants_timescaledb()
    if sql("show timescaledb.license") != [("timescale",)]:
        pytest.skip("this TimescaleDB has no policies: it is without its community part")
    try:
        assert maintain(Policy(14, compress_after=30), NOW).statements
        assert maintain(Policy(14, compress_after=30), NOW) == Plan()
    finally:
        maintain(Policy(14), NOW)


@real_server
def test_old_chunks_go_by_the_age_of_their_fixes_and_of_their_arrival() -> None:
    """TimescaleDB's own policy would take the old upload that came yesterday."""
    _wants_timescaledb()
    old = NOW - timedelta(days=40)
    insert("old", old, old)
    insert("late", old - timedelta(days=2), NOW - timedelta(days=1))
    insert("new", NOW, NOW)
    assert len(maintain(Policy(14, retention=30), NOW).partitions) == 1
    assert devices() == {"late", "new"}
    assert not maintain(Policy(14, retention=30), NOW).partitions


@real_server
def test_a_timescaledb_that_loses_rows_of_compressed_days_does_not_compress(monkeypatch: pytest.MonkeyPatch) -> None:
    _wants_timescaledb()
    monkeypatch.setattr(partitions, "LOSES_ROWS", partitions.LOSES_ROWS.replace("2, 18, 1", "99, 0"))
    with pytest.raises(NotSupportedError, match=r"2.18.1 or later"):
        maintain(Policy(14, compress_after=30), NOW)


def _wants_timescaledb() -> None:
    if not partitions._is_hypertable():
        pytest.skip("this server has no TimescaleDB")
