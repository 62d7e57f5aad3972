"""How many requests a minute: by role, counted in Redis for all web processes together."""

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


class RoleThrottle(BaseThrottle):
    """A window of a minute for each user, or each address of those without one. Without Redis nobody is held up."""

    def allow_request(self, request: Request, view: object) -> bool:
        rights = rights_of(request.user)
        limit = settings.API_RATES[kind(rights)]
        if not limit:
            return True
        who = str(rights.user_id or self.get_ident(request))
        return count(f"rest:rate:{who}:{int(time.time()) // WINDOW_S}") <= limit

    def wait(self) -> float:
        return WINDOW_S - time.time() % WINDOW_S


def kind(rights: Rights) -> str:
    """official, member or anyone: the names of the setting API_RATES."""
    if rights.superuser or DESK & set(rights.roles.values()):
        return "official"
    return "member" if rights.user_id else "anyone"


def count(key: str) -> int:
    """How often this was asked within the window, this time included."""
    try:
        found: Any = _client().incr(key)
        if found == 1:
            _client().expire(key, 2 * WINDOW_S)
        return int(found)
    except redis.RedisError as error:
        log.warning("requests are not counted", error=str(error))
        return 0


@cache
def _client() -> redis.Redis:
    return stream.connect(settings.REDIS_URL)
