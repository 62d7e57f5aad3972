"""A consumer written the usual way, to compare with: run by benchmarks/ingest.py where there is no Node.js.

It does what usual.mjs does, in the same order and with the same numbers.
"""

import json
import os
from typing import Any

import psycopg
import redis

GROUP = "processor"
COLUMNS = "device_id, ts, latitude, longitude, altitude, angle, speed, satellites, priority, codec, attributes"
PLACES = "(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"


def row(fields: dict[bytes, bytes]) -> tuple[Any, ...]:
    p = json.loads(fields[b"payload"])
    return (
        p["device_id"], p["timestamp"], p["latitude"], p["longitude"], p["altitude"], p["angle"], p["speed"],
        p["satellites"], p["priority"], fields[b"codec"].decode(), json.dumps(p["attributes"]),
    )  # fmt: skip


def insert(database: psycopg.Connection, rows: list[tuple[Any, ...]]) -> None:
    database.execute(
        f"insert into positions ({COLUMNS}) values {', '.join([PLACES] * len(rows))}"
        " on conflict (device_id, ts) do nothing returning device_id, ts",
        [value for values in rows for value in values],
    )


def main() -> None:
    name = os.environ["REDIS_TELEMETRY_STREAM"]
    client = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=10)
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as database:
        while True:
            reply: Any = client.xreadgroup(GROUP, "usual", {name: ">"}, count=100, block=1000)
            for messages in reply.values() if isinstance(reply, dict) else [part for _, part in reply]:
                rows = messages[0] if messages and isinstance(messages[0], list) else messages
                for begin in range(0, len(rows), 50):
                    insert(database, [row(fields) for _, fields in rows[begin : begin + 50]])
                client.xack(name, GROUP, *(id for id, _ in rows))


if __name__ == "__main__":
    main()
