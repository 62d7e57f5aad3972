"""The wire format of ClickHouse: on a real server where one is installed, and byte by byte on a stand-in."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from redis import Redis

from apps.analytics.clickhouse import ClickHouse, ClickHouseError
from apps.analytics.columns import POSITIONS
from apps.analytics.files import StoreAwayError
from apps.analytics.sinks import Record, Server
from apps.analytics.tests.clickhouse import PROGRAM, running
from apps.analytics.tests.test_worker import exporter, position, send


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if not PROGRAM:
        pytest.skip("no ClickHouse (apt-get install clickhouse-server)")
    with running(tmp_path_factory.mktemp("clickhouse")) as found:
        yield found


@pytest.fixture
def server(url: str) -> ClickHouse:
    found = ClickHouse(url)
    found.execute("DROP TABLE IF EXISTS positions")
    return found


def test_positions_arrive_and_a_batch_twice_is_there_once(server: ClickHouse, url: str, redis: Redis) -> None:
    send(redis, 500)
    exporter(redis, Server(url)).run_until_idle()
    Server(url).write("again", [Record(position(n), "telemetry:t", f"{n}-0") for n in range(100)])
    rows = server.execute(
        "SELECT device_id, ts, latitude, attributes FROM positions FINAL ORDER BY ts FORMAT TabSeparatedRaw"
    )
    assert len(rows.splitlines()) == 500
    first = position(0)
    assert rows.splitlines()[0].split("\t") == [first.device_id, str(first.ts), "41.5", '{"66":12000,"x":"naïve \\\\"}']


def test_what_the_server_refuses_is_said(server: ClickHouse) -> None:
    with pytest.raises(ClickHouseError, match="nowhere"):
        server.execute("SELECT * FROM nowhere")


def test_a_wrong_password_is_refused(url: str) -> None:
    with pytest.raises(ClickHouseError, match="assword"):
        ClickHouse(url.replace("s3cret", "guess")).execute("SELECT 1")


def test_a_server_that_is_away_is_waited_for() -> None:
    with pytest.raises(StoreAwayError, match="refused"):
        ClickHouse("clickhouse://127.0.0.1:9/x").execute("SELECT 1")


def test_rows_travel_as_documented() -> None:
    got: list[tuple[str, dict[str, list[str]], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802 - the name http.server calls
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append((self.headers["authorization"], parse_qs(urlsplit(self.path).query), body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    stand_in = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=stand_in.serve_forever, daemon=True).start()
    sink = Server(f"clickhouse://trm:pw@127.0.0.1:{stand_in.server_port}/rally")
    sink.prepare()
    sink.write("one", [Record(position(0), "telemetry:t", "5-0")])
    stand_in.shutdown()
    stand_in.server_close()
    (_, create, ddl), (login, insert, body) = got
    assert create["database"] == insert["database"] == ["rally"] and login == "Basic dHJtOnB3"
    assert ddl.startswith(b"CREATE TABLE IF NOT EXISTS `positions` (`device_id` String, `ts` Int64")
    names = ", ".join(column.name for column in POSITIONS)
    assert insert["query"] == [f"INSERT INTO `positions` ({names}) FORMAT JSONEachRow"]
    assert body.startswith(b'{"device_id":"356093000000000","ts":1780819200000,"latitude":41.5')


def test_its_home_is_its_own(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needed"):
        ClickHouse("clickhouse:///x")
