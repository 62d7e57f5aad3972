"""Signing in by token, and what ends it."""

from typing import Any

import pytest
from django.test import Client, override_settings

from apps.accounts.factories import OrganizationUserFactory, UserFactory
from apps.accounts.rights import rights_of
from apps.rest.models import ApiToken
from apps.rest.tests.client import Api
from apps.rest.throttling import RoleThrottle, kind

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


PASSWORD = "a long enough word"


def test_a_token_signs_in_and_is_never_kept() -> None:
    user = UserFactory(password=PASSWORD)
    made = Api().post("tokens", {"email": user.email, "password": PASSWORD, "name": "script"})
    assert made.status == 201
    token = made.json["token"]
    assert token not in str(ApiToken.objects.values().get())
    api = Api()
    me = api.get("me", Authorization=f"Bearer {token}")
    assert me.json["email"] == user.email
    assert api.delete(f"tokens/{made.json['id']}", Authorization=f"Bearer {token}").status == 204
    assert api.get("me", Authorization=f"Bearer {token}").status == 401


def test_a_suspended_account_has_no_token() -> None:
    api = Api(UserFactory())
    assert api.user is not None
    api.user.is_active = False
    api.user.save()
    refused = api.get("me")
    assert (refused.status, "Bearer" in refused.headers["WWW-Authenticate"]) == (401, True)


def test_guessing_passwords_locks_the_account_for_the_address() -> None:
    user = UserFactory(password=PASSWORD)
    tries = [Api().post("tokens", {"email": user.email, "password": f"wrong {n}"}).status for n in range(12)]
    assert tries[0] == 401 and tries[-1] == 429
    locked = Api().post("tokens", {"email": user.email, "password": PASSWORD})
    assert (locked.status, locked.headers["Content-Type"]) == (429, "application/problem+json")
    assert "Retry-After" in locked.headers


def test_the_session_of_the_admin_reads_and_needs_the_csrf_token_to_write() -> None:
    user = OrganizationUserFactory(role="org-admin").user
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    assert client.get("/api/v1/me").status_code == 200
    assert client.post("/api/v1/vehicles", {}, content_type="application/json").status_code == 403


def test_requests_are_counted_by_role() -> None:
    member, official = (OrganizationUserFactory(role=role).user for role in ("participant", "marshal"))
    assert (kind(rights_of(member)), kind(rights_of(official))) == ("member", "official")
    with override_settings(API_RATES={"member": 2, "official": 0, "anyone": 1}):
        api = Api(member)
        assert [api.get("me").status for _ in range(3)] == [200, 200, 429]
        assert {Api(official).get("me").status for _ in range(3)} == {200}
    assert RoleThrottle.wait(RoleThrottle()) <= 60
