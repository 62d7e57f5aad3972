"""Tokens: made, shown once, found by their digest."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from apps.accounts import rights
from apps.accounts.models import User
from apps.accounts.queries import Membership
from apps.rest.models import ApiToken

PREFIX = "trm_"  # lets a scanner of leaked secrets know one when it sees one
DAYS = 30
MOST_DAYS = 366

# Who it is of, where the token holds, with what `rights` asks next. A suspended account's tokens sleep.
USER_OF = """
    select u.id, u.email, u.is_superuser, m.organization_id, m.role
    from api_tokens t
        join users u on u.id = t.user_id
        left join organization_users m on m.user_id = u.id and not m.suspended
    where t.digest = %s and t.expires_at > now() and u.is_active
"""


def digest(token: str) -> str:
    """A token is 256 random bits: one round of SHA-256 is enough, there is nothing to guess."""
    return hashlib.sha256(token.encode()).hexdigest()


def make(user: User, name: str = "", days: int = DAYS) -> tuple[ApiToken, str]:
    """A new token's row, and the token itself, which nobody can find again."""
    token = PREFIX + secrets.token_urlsafe(32)
    expires_at: datetime = timezone.now() + timedelta(days=days)
    return ApiToken.objects.create(user=user, name=name, digest=digest(token), expires_at=expires_at), token


def user_of(token: str) -> User | None:
    """Whose token it is, with the fields the policy and the audit ask for; the rest is read when it is asked."""
    with connection.cursor() as cursor:
        cursor.execute(USER_OF, [digest(token)])
        rows = cursor.fetchall()
    if not rows:
        return None
    key, email = rows[0][:2]
    rights.remember(key, [Membership(*row[2:]) for row in rows])
    return User.from_db("default", ["id", "email"], [key, email])
