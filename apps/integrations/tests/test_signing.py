"""A receiver can tell our messages from others, and old ones from new ones."""

import pytest

from apps.integrations.signing import headers, is_signed, new_secret, signature

BODY = b'{"test": 2432232314}'


def test_the_layout_is_that_of_standard_webhooks() -> None:
    """The example of the specification's own test vectors."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    wanted = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert signature("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, BODY, secret) == wanted


def test_a_message_is_known_by_the_new_secret_and_for_a_while_by_the_old_one() -> None:
    old, new = new_secret(), new_secret()
    sent = headers("7", 1000, BODY, (new, old))
    assert is_signed(sent, BODY, new, now=1010) and is_signed(sent, BODY, old, now=1010)
    assert not is_signed(sent, BODY, new_secret(), now=1010)


@pytest.mark.parametrize(
    ("change", "body", "now"),
    [
        ({"webhook-id": "8"}, BODY, 1000),
        ({"webhook-timestamp": "1001"}, BODY, 1000),
        ({}, BODY + b" ", 1000),
        ({}, BODY, 1301),
        ({"webhook-timestamp": "soon"}, BODY, 1000),
    ],
)
def test_whatever_is_changed_is_found(change: dict[str, str], body: bytes, now: int) -> None:
    secret = new_secret()
    assert not is_signed(headers("7", 1000, BODY, (secret,)) | change, body, secret, now=now)
