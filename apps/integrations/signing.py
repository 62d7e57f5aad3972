"""Signatures of webhooks, laid out as in the Standard Webhooks specification, so that ready-made receivers check them.

    webhook-id: <id of the domain event>          the same in every attempt: what to know duplicates by
    webhook-timestamp: <epoch seconds of the attempt>
    webhook-signature: v1,<base64 of HMAC-SHA-256 over "id.timestamp.body">, one for each secret, a space between

A receiver computes the same over the bytes it got, compares in constant time, and refuses old timestamps.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence

PREFIX = "whsec_"


def new_secret() -> str:
    """A secret as a receiver is given it: 32 random bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def headers(identity: str, timestamp: int, body: bytes, keys: Sequence[str]) -> dict[str, str]:
    """The three headers of one attempt; `timestamp` in epoch seconds."""
    return {
        "webhook-id": identity,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(identity, timestamp, body, key) for key in keys),
    }


def signature(identity: str, timestamp: int, body: bytes, secret: str) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = b".".join([identity.encode(), str(timestamp).encode(), body])
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def is_signed(got: Mapping[str, str], body: bytes, secret: str, *, now: int, tolerance_s: int = 300) -> bool:
    """What a receiver does; `got` are its headers by lower-case name."""
    try:
        timestamp = int(got["webhook-timestamp"])
        wanted = signature(got["webhook-id"], timestamp, body, secret)
        given = got["webhook-signature"].split()
    except (KeyError, ValueError):
        return False
    return abs(now - timestamp) <= tolerance_s and any(hmac.compare_digest(wanted, one) for one in given)
