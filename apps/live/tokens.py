"""Tokens of the live channel, for programs that have no session: signed, short-lived, bound to the password.

Sent as `Authorization: Bearer <token>`, or, where a program cannot set headers, as the WebSocket subprotocol
`bearer.<token>` beside `trm.live`. Never in the address: addresses end up in logs.
"""

import time

from django.core import signing

from apps.accounts.models import User

LIFETIME_S = 3600
SIGNER = signing.Signer(salt="trm.live", sep="~")  # every character of a token may stand in a subprotocol's name


def issue(user: User, lifetime_s: int = LIFETIME_S) -> str:
    """A token that opens the live channel as `user` until it expires, the password changes or the user is barred."""
    return SIGNER.sign_object([str(user.pk), _mark(user), int(time.time()) + lifetime_s])


def user_of(token: str) -> User | None:
    """None for a token that is forged, expired, or of one who may come in no more."""
    try:
        key, mark, expires = SIGNER.unsign_object(token)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    user = User.objects.filter(pk=key, is_active=True).first()
    return user if user and mark == _mark(user) and time.time() < expires else None


def _mark(user: User) -> str:
    return user.get_session_auth_hash()[:16]
