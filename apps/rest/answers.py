"""Answers as bytes: JSON without a renderer in between."""

import hashlib
from decimal import Decimal
from typing import Any

import orjson
from django.http import HttpResponse

JSON = "application/json"


def encode(data: Any) -> bytes:
    return orjson.dumps(data, default=_plain)


def answer(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    return HttpResponse(encode(data), status=status, content_type=JSON, headers=headers)


def etag(body: bytes) -> str:
    """Changes whenever the row, as this user reads it, does: by whatever door it was written."""
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def _plain(value: Any) -> Any:
    """What orjson does not know: decimals (seconds), lazy texts."""
    return float(value) if isinstance(value, Decimal) else str(value)
