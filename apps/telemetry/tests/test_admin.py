"""The page of dead letters: only for those who may, nothing done unconfirmed, and right without JavaScript."""

import html
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer
from redis import Redis

from apps.common.stream import REQUESTS_STREAM
from apps.telemetry import admin
from apps.telemetry.tests.letters import DEVICE, STREAM, last, lying, many, put_aside, record, sent

LIST = "/admin/telemetry/deadletter/"
ACT = f"{LIST}act/"


@pytest.fixture
def office(client: Client, db: None, redis: Redis) -> Client:
    """Signed in as staff with the one permission and no other."""
    user = get_user_model().objects.create_user("timing@example.org", "x", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="replay_dead_letters"))
    client.force_login(user)
    return client


def key(id: str, stream: str = STREAM) -> str:
    return f"{id}@{stream}"


def text(client: Client, path: str, **query: str) -> str:
    response = client.get(path, query)
    assert response.status_code == 200
    return html.unescape(response.content.decode())


def act(client: Client, **data: Any) -> Any:
    return client.post(ACT, data, follow=True)


@pytest.mark.parametrize("path", [LIST, ACT, f"{LIST}letter/1-1@{STREAM}/"])
def test_only_the_permission_opens_it(client: Client, db: None, redis: Redis, path: str) -> None:
    put_aside(redis, record(), "odd")
    assert client.get(path).status_code == 302
    client.force_login(get_user_model().objects.create_user("staff@example.org", "x", is_staff=True))
    assert client.get(path).status_code == 403
    refused = client.post(ACT, {"act": "drop-all", "confirmed": "yes", "reason": "x", "until": "9" * 15})
    assert refused.status_code == 403 and len(lying(redis)) == 1
    assert "deadletter" not in client.get("/admin/").content.decode()


def test_those_who_may_find_it_in_the_index(office: Client) -> None:
    assert LIST in text(office, "/admin/") and reverse("admin:telemetry_deadletter_changelist") == LIST
    assert "every record was worked off" in text(office, LIST)


def test_the_list_shows_and_filters(office: Client, redis: Redis) -> None:
    put_aside(redis, record(), "payload: no JSON")
    put_aside(redis, {b"reason": b"tea"}, "reason: <b>tea</b>", origin=REQUESTS_STREAM)
    page = text(office, LIST)
    assert DEVICE in page and "payload: no JSON" in page and key(last(redis)) in page
    assert b"<b>tea" not in office.get(LIST).content
    assert "no JSON" not in text(office, LIST, q="TEA") and "no JSON" not in text(office, LIST, stream=REQUESTS_STREAM)
    assert "tea" not in text(office, LIST, device=DEVICE)
    assert office.get(LIST, {"stream": "nowhere"}).status_code == 404


def test_every_letter_stands_on_one_page_only(office: Client, redis: Redis) -> None:
    many(redis, 120)
    seen, page = [], office.get(LIST)
    while True:
        seen += [row.device for row in page.context["rows"]]
        if not page.context["older"]:
            break
        page = office.get(f"{LIST}?{page.context['older']}")
    assert seen == [str(n) for n in range(119, -1, -1)]


def test_a_rare_error_is_looked_for_a_stretch_at_a_time(
    office: Client, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin, "LOOK_AT", 60)
    many(redis, 100)
    first = office.get(LIST, {"device": "3"})
    assert "None among the last 60" in first.content.decode()
    assert [row.device for row in office.get(f"{LIST}?{first.context['older']}").context["rows"]] == ["3"]


def test_one_letter_shows_all_of_it_garbage_too(office: Client, redis: Redis) -> None:
    id = put_aside(redis, {**record(), b"\xff": b"\x00\x1b[2J", b"odd": b'{"\\ud800"'}, "odd")
    page = text(office, f"{LIST}letter/{key(id)}/")
    assert '"latitude": 41.0' in page and "\\xff" in page and "\\x00\\x1b[2J" in page
    for wrong in ("1-1@" + STREAM, "x@" + STREAM, f"{id}@other", id):
        assert office.get(f"{LIST}letter/{wrong}/").status_code == 404


def test_replay_says_what_will_happen_and_then_does_it(office: Client, redis: Redis) -> None:
    ids = [put_aside(redis, record(n), "odd") for n in range(3)]
    chosen = [key(id) for id in ids[:2]]
    asked = act(office, act="replay", letter=chosen)
    assert "2 records will be sent" in asked.content.decode() and len(lying(redis)) == 3
    done = act(office, act="replay", letter=chosen, confirmed="yes")
    assert "2 records sent again" in done.content.decode()
    assert sent(redis) == [record(0), record(1)] and len(lying(redis)) == 1


def test_replay_twice_sends_once(office: Client, redis: Redis) -> None:
    order = {"act": "replay", "letter": [key(put_aside(redis, record(), "odd"))], "confirmed": "yes"}
    act(office, **order)
    assert "is gone" in act(office, **order).content.decode() and sent(redis) == [record()]


def test_drop_wants_a_reason(office: Client, redis: Redis) -> None:
    order = {"act": "drop", "letter": [key(put_aside(redis, record(), "odd"))], "confirmed": "yes"}
    assert "Say why" in act(office, **order, reason=" ").content.decode() and len(lying(redis)) == 1
    assert "1 dead letter dropped" in act(office, **order, reason="noise").content.decode()
    assert lying(redis) == [] and sent(redis) == []


def test_all_means_what_the_filter_showed_and_was_there_when_asked(office: Client, redis: Redis) -> None:
    """Nobody drops unseen what came while he read the question."""
    put_aside(redis, record(0), "other")
    put_aside(redis, record(1), "odd")
    asked = act(office, act="drop-all", q="odd")
    assert "1 dead letter will be removed" in asked.content.decode()
    put_aside(redis, record(2), "odd, later")
    act(office, act="drop-all", q="odd", until=asked.context["until"], confirmed="yes", reason="noise")
    assert [letter[b"error"] for letter in lying(redis)] == [b"other", b"odd, later"]


def test_what_no_page_asks_for_is_refused(office: Client, redis: Redis) -> None:
    put_aside(redis, record(), "odd")
    for data in ({"act": "burn"}, {"act": "drop-some"}, {}, {"act": "drop", "letter": "x"}):
        assert office.post(ACT, data).status_code == 404
    assert "Nothing was chosen" in act(office, act="drop").content.decode()
    assert office.get(ACT).status_code == 302 and len(lying(redis)) == 1


def test_redis_away_is_said(office: Client, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    response = office.get(LIST)
    assert response.status_code == 503 and "Redis does not answer" in response.content.decode()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_in_a_browser_without_javascript(browser: Browser, live_server: LiveServer, redis: Redis) -> None:
    get_user_model().objects.create_superuser("admin@example.org", "x")
    for n in range(3):
        put_aside(redis, record(n), f"payload: no JSON in {n}")
    page = browser.new_context(java_script_enabled=False, viewport={"width": 800, "height": 1000}).new_page()
    page.goto(f"{live_server.url}{LIST}")
    page.fill("[name=username]", "admin@example.org")
    page.fill("[name=password]", "x")
    page.click("[type=submit]")
    page.locator("#content tbody tr", has_text="in 1").locator("input").check()
    page.click("text=Replay chosen")
    page.click("text=Yes, replay 1")
    assert page.locator(".messagelist").inner_text() == "1 record sent again."
    assert page.locator("#content tbody tr").count() == 2 and sent(redis) == [record(1)]
    page.context.close()
