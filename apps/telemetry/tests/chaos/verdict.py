"""What must be true afterwards, asked of the servers themselves."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import psycopg
import redis

from apps.common import stream
from apps.telemetry.tests.chaos.actors import STREAM
from apps.telemetry.tests.chaos.records import Record, Row

STORED = """
    select device_id, ts, latitude, longitude, altitude, angle, speed, satellites, priority, codec, attributes, faulty
    from positions
"""
Key = tuple[str, datetime]


def is_drained(client: redis.Redis) -> bool:
    """Nothing unread, nothing pending. Not by XINFO's lag, which Redis itself may not know."""
    groups: Any = client.xinfo_groups(STREAM)
    group = next((g for g in groups if g["name"] == stream.PROCESSOR_GROUP.encode()), None)
    newest: Any = client.xrevrange(STREAM, count=1)
    return bool(group and newest and group["pending"] == 0 and group["last-delivered-id"] == newest[0][0])


def consumers(client: redis.Redis) -> set[str]:
    found: Any = client.xinfo_consumers(STREAM, stream.PROCESSOR_GROUP)
    return {consumer["name"].decode() for consumer in found}


def judge(records: Sequence[Record], database: str, client: redis.Redis) -> None:
    """Raises AssertionError naming what was lost, doubled, altered or kept silent."""
    stored = _stored(database)
    _positions(records, stored)
    _dead_letters(records, client)
    _windows(stored, client)
    assert is_drained(client)


def _stored(database: str) -> dict[Key, Row]:
    with psycopg.connect(database, options="-c timezone=UTC") as connection:
        rows = connection.execute(STORED, binary=True).fetchall()
    found = {(row[0], row[1]): tuple(row) for row in rows}
    assert len(found) == len(rows), "rows stored twice"
    return found


def _positions(records: Iterable[Record], stored: dict[Key, Row]) -> None:
    wanted = {(r.row[0], r.row[1]): r.row for r in records if r.row}
    assert not (lost := wanted.keys() - stored.keys()), f"{len(lost)} positions lost, e.g. {sorted(lost)[:3]}"
    assert not (alien := stored.keys() - wanted.keys()), f"{len(alien)} rows of no record, e.g. {sorted(alien)[:3]}"
    altered = [(row, stored[key]) for key, row in wanted.items() if stored[key] != row]
    assert not altered, f"{len(altered)} altered, e.g. {altered[0]}"


def _dead_letters(records: Iterable[Record], client: redis.Redis) -> None:
    """The stream itself says which garbage it took: a producer that got no answer sends again."""
    sent = {record.marker for record in records if record.marker}
    garbage = {m.id: m.fields for m in stream.entries(client, STREAM) if b"marker" in m.fields}
    assert {fields[b"marker"].decode() for fields in garbage.values()} == sent
    letters = [letter.fields for letter in stream.entries(client, stream.dead_letters(STREAM))]
    times = Counter(letter[b"origin_id"] for letter in letters)
    unknown = [letter for letter in letters if letter[b"origin_id"] not in garbage]
    assert not unknown, f"{len(unknown)} good records put aside, e.g. {str(unknown[0])[:500]}"
    assert not (lost := garbage.keys() - times.keys()), f"{len(lost)} lost, e.g. {garbage[min(lost)][b'marker']!r}"
    assert not (twice := [i for i, n in times.items() if n > 1]), f"{len(twice)} put aside twice, e.g. {twice[:3]}"
    for letter in letters:
        assert letter.items() >= garbage[letter[b"origin_id"]].items(), f"altered: {letter}"
        assert letter[b"error"] and letter[b"failed_at"] and int(letter[b"deliveries"]) > 0


def _windows(stored: Iterable[Key], client: redis.Redis) -> None:
    windows: dict[str, set[tuple[int, int]]] = defaultdict(set)
    for message in stream.entries(client, stream.REQUESTS_STREAM):
        for device, first, last in msgspec.json.decode(message.fields[b"windows"]):
            windows[device].add((first, last))
    silent = [key for key in stored if not _covered(key, windows[key[0]])]
    assert not silent, f"{len(silent)} rows were not announced, e.g. {sorted(silent)[:3]}"


def _covered(key: Key, windows: Iterable[tuple[int, int]]) -> bool:
    ts = round(key[1].timestamp() * 1000)
    return any(first <= ts <= last for first, last in windows)
