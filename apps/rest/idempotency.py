"""`Idempotency-Key`: a POST that comes twice is done once, and answered twice with the same words.

The key is taken in the transaction of the write, so that a second request waits for the first to end: then it finds
the answer, or, where the first was refused, does the work.
"""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from apps.rest.models import IdempotencyKey
from apps.rest.problems import Unprocessable

HEADER = "Idempotency-Key"
LONGEST = 200
KEPT_HOURS = 24
KEPT_HEADERS = ("Content-Type", "Location", "ETag")

# A key older than a day is as good as new. No row comes back where the key is taken.
CLAIM = """
    insert into idempotency_keys (user_id, key, request, headers, created_at) values (%s, %s, %s, '{}', now())
    on conflict (user_id, key) do update
        set request = excluded.request, created_at = now(), status = null, body = null, headers = '{}'
        where idempotency_keys.created_at < now() - %s * interval '1 hour'
    returning id
"""


def once(key: str, request: HttpRequest, user_id: Any, act: Callable[[], HttpResponse]) -> HttpResponseBase:
    """The answer of `act`, or the one it gave before. Raises ValidationError for a bad key, Unprocessable for a
    key that was used for another request."""
    if not (key.isascii() and key.isprintable() and len(key) <= LONGEST):
        raise ValidationError({HEADER: [_("At most %(most)d printable characters.") % {"most": LONGEST}]})
    told = _digest(request)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(CLAIM, [user_id, key, told, KEPT_HOURS])
            claimed = cursor.fetchone()
        if claimed is None:
            return _again(IdempotencyKey.objects.get(user_id=user_id, key=key), told)
        answer = act()
        headers = {name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers}
        IdempotencyKey.objects.filter(id=claimed[0]).update(
            status=answer.status_code, headers=headers, body=answer.content
        )
        return answer


def forget_old() -> int:
    """Delete what no request will ask for again; how many."""
    return IdempotencyKey.objects.filter(created_at__lt=timezone.now() - timedelta(hours=2 * KEPT_HOURS)).delete()[0]


def _again(held: IdempotencyKey, told: str) -> HttpResponse:
    if held.request != told:
        raise Unprocessable(_("This %(header)s was used for another request.") % {"header": HEADER})
    headers = {**held.headers, "Idempotency-Replayed": "true"}
    return HttpResponse(bytes(held.body or b""), status=held.status, headers=headers)


def _digest(request: HttpRequest) -> str:
    parts = (request.method or "", request.get_full_path(), request.content_type or "")
    return hashlib.sha256("\n".join(parts).encode() + b"\n" + request.body).hexdigest()
