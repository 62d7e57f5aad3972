"""How many requests a minute: by role, counted in Redis for all web processes together.

A process takes requests by the hundredth of a limit, so that Redis is not asked at each of them: a user is held up a
few requests early at the most, never late.
"""

import threading
import time
from functools import cache
from typing import Any

import redis
import structlog
from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from apps.accounts.rights import Rights, rights_of
from apps.accounts.services import DESK
from apps.common import stream

log = structlog.get_logger(__name__)
WINDOW_S = 60
LARGEST_SHARE = 50


class RoleThrottle(BaseThrottle):
    """A window of a minute for each user, or each address of those without one. Without Redis nobody is held up."""

    def allow_request(self, request: Request, view: object) -> bool:
        rights = rights_of(request.user)
        limit = settings.API_RATES[kind(rights)]
        if not limit:
            return True
        return METER.allows(str(rights.user_id or self.get_ident(request)), limit)

    def wait(self) -> float:
        return WINDOW_S - time.time() % WINDOW_S


def kind(rights: Rights) -> str:
    """official, member or anyone: the names of the setting API_RATES."""
    if rights.superuser or DESK & set(rights.roles.values()):
        return "official"
    return "member" if rights.user_id else "anyone"


class Meter:
    """What this process has taken of each user's requests of the minute, and not used yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minute = 0
        self._left: dict[tuple[str, int], int] = {}

    def allows(self, who: str, limit: int) -> bool:
        """Whether one more is within `limit` a minute."""
        minute = int(time.time()) // WINDOW_S
        if self._use(who, limit, minute):
            return True
        share = min(max(limit // 100, 1), LARGEST_SHARE)
        taken = _take(f"rest:rate:{who}:{minute}", share)
        if taken - share >= limit:
            return False
        with self._lock:
            self._left[who, limit] = self._left.get((who, limit), 0) + min(share, limit - taken + share) - 1
        return True

    def _use(self, who: str, limit: int, minute: int) -> bool:
        with self._lock:
            if minute != self._minute:
                self._minute = minute
                self._left.clear()
            left = self._left.get((who, limit), 0)
            if left:
                self._left[who, limit] = left - 1
            return left > 0


METER = Meter()


def _take(key: str, share: int) -> int:
    """How many were taken within the window by all processes, this share included."""
    try:
        found: Any = _client().incrby(key, share)
        if found == share:
            _client().expire(key, 2 * WINDOW_S)
        return int(found)
    except redis.RedisError as error:
        log.warning("requests are not counted", error=str(error))
        return share


@cache
def _client() -> redis.Redis:
    return stream.connect(settings.REDIS_URL)
