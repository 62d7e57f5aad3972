"""The web process's probes and its front door."""

import pytest
from django.test import Client

from apps.live import health


def test_the_front_door_leads_to_the_rallies(client: Client) -> None:
    answer = client.get("/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/live/")


def test_alive_without_any_server(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert "no-store" in answer.headers["Cache-Control"]


def test_ready_when_both_servers_answer(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "not_ready", lambda: "")
    assert client.get("/readyz").status_code == 200


def test_not_ready_keeps_the_reason_from_the_public(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "not_ready", lambda: 'PostgreSQL: server at "10.0.0.7" refused user "trm"')
    answer = client.get("/readyz")
    assert (answer.status_code, answer.content) == (503, b"not ready\n")


@pytest.mark.parametrize("address", ["/healthz", "/readyz"])
def test_probes_are_only_read(client: Client, address: str) -> None:
    assert client.post(address).status_code == 405


def test_ready_asks_the_real_servers(client: Client, redis_url: str, db: None) -> None:
    assert client.get("/readyz").content == b"ok\n"
