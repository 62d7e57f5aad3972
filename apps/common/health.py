"""Whether the servers that TRM stands on answer (contracts §5, /readyz)."""

import psycopg
import redis
from django.conf import settings

LIMIT_SECONDS = 5


def not_ready() -> str:
    """Why this process cannot work now: Redis or PostgreSQL is silent. Empty when both answer within 5 s."""
    return "; ".join(reason for reason in (_redis_fault(), _database_fault()) if reason)


def _redis_fault() -> str:
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=LIMIT_SECONDS, socket_connect_timeout=LIMIT_SECONDS
        ) as client:
            client.ping()
    except redis.RedisError as error:
        return f"Redis: {error}"
    return ""


def _database_fault() -> str:
    # A connection of its own: the probe must neither wait for the loop's one nor disturb its transaction.
    try:
        with psycopg.connect(
            settings.DATABASE_URL,
            connect_timeout=LIMIT_SECONDS,
            options=f"-c statement_timeout={LIMIT_SECONDS * 1000}",
        ) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error as error:
        return f"PostgreSQL: {error}".strip()
    return ""
