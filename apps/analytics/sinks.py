"""Where positions go: Parquet files, or ClickHouse. Either takes the same batch twice without holding it twice."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from apps.analytics.clickhouse import ClickHouse
from apps.analytics.columns import POSITIONS, dictionary
from apps.analytics.files import Folder, StoreAwayError, parquet
from apps.common.position import Position, instant

INTENTS = "_intents"
DAY_MS = 86_400_000


class Intent(msgspec.Struct, frozen=True):
    """What a batch is made of, ids of a stream: put down before any of its files, and again when all are written."""

    name: str
    consumer: str
    stream: str
    ids: list[str]
    written: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """A position and where it came from."""

    position: Position
    stream: str
    id: str


class Sink(Protocol):
    """`intend`, `write` (after a crash again, the same), `intend` as written; then acknowledge, then `forget`."""

    def prepare(self) -> None: ...

    def intents(self) -> list[Intent]: ...

    def intend(self, intent: Intent) -> None: ...

    def write(self, name: str, records: Sequence[Record]) -> None: ...

    def forget(self, intent: Intent) -> None: ...


class Files:
    """`day=YYYY-MM-DD/<batch>.parquet` under a URL, sorted by device and time, the data dictionary beside them."""

    def __init__(self, url: str) -> None:
        self._folder = Folder(url)

    def prepare(self) -> None:
        with _store():
            text = dictionary("Positions", {"day=YYYY-MM-DD/*.parquet": POSITIONS})
            self._folder.put("DATA_DICTIONARY.md", text.encode())

    def intents(self) -> list[Intent]:
        with _store():
            names = self._folder.names(INTENTS)
            return [msgspec.json.decode(content, type=Intent) for name in names if (content := self._folder.get(name))]

    def intend(self, intent: Intent) -> None:
        with _store():
            self._folder.put(f"{INTENTS}/{intent.name}.json", msgspec.json.encode(intent))

    def write(self, name: str, records: Sequence[Record]) -> None:
        with _store():
            for day, rows in by_day(records).items():
                self._folder.put(f"day={day}/{name}.parquet", parquet(rows, POSITIONS))

    def forget(self, intent: Intent) -> None:
        with _store():
            self._folder.remove(f"{INTENTS}/{intent.name}.json")


class Server:
    """The table `positions` of ClickHouse, which keeps one row of a device's instant (read it with FINAL)."""

    def __init__(self, url: str) -> None:
        self._server = ClickHouse(url)

    def prepare(self) -> None:
        self._server.create("positions", POSITIONS, order=("device_id", "ts"))

    def intents(self) -> list[Intent]:
        return []

    def intend(self, intent: Intent) -> None:
        """Nothing: rows that come twice are one."""

    def write(self, name: str, records: Sequence[Record]) -> None:
        self._server.insert("positions", POSITIONS, [row for rows in by_day(records).values() for row in rows])

    def forget(self, intent: Intent) -> None:
        """Nothing was written down."""


def sink(url: str) -> Sink:
    """The sink of ANALYTICS_URL: clickhouse://… or clickhouses://… for ClickHouse, else files."""
    return Server(url) if url.startswith(("clickhouse://", "clickhouses://")) else Files(url)


def by_day(records: Sequence[Record]) -> dict[str, list[tuple[Any, ...]]]:
    """Rows per UTC day, sorted by device and time."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for one in sorted(records, key=lambda r: (r.position.device_id, r.position.ts, r.stream, r.id)):
        p = one.position
        row = (
            p.device_id, instant(p.ts), p.latitude, p.longitude, p.altitude, p.angle, p.speed, p.satellites, p.priority,
            p.codec, msgspec.json.encode(p.attributes).decode(), one.stream, one.id,
        )  # fmt: skip
        found.setdefault(instant(p.ts).date().isoformat(), []).append(row)
    return dict(sorted(found.items()))


@contextmanager
def _store() -> Iterator[None]:
    """A store that cannot be reached is waited for, as PostgreSQL and Redis are."""
    try:
        yield
    except OSError as error:
        raise StoreAwayError(f"analytics store: {error}") from error
