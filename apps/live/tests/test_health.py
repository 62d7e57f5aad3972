"""The web process's probes and its front door."""

import pytest
from django.test import Client

from apps.live import health, metrics


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


def test_the_figures_of_the_web_process(client: Client) -> None:
    """The names of contracts §5, where Prometheus on the same machine reads them."""
    metrics.MESSAGES.sent += 1
    answer = client.get("/metrics")
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/plain")
    names = ("live_connections", "live_subscriptions", 'live_messages_total{direction="out"}',
             "live_broadcast_lag_seconds_count", "live_coalesced_total")  # fmt: skip
    lines = answer.content.decode().splitlines()
    assert [name for name in names if not any(line.startswith(f"{name} ") for line in lines)] == []


@pytest.mark.parametrize(
    "caller",
    [{"REMOTE_ADDR": "203.0.113.7"}, {"REMOTE_ADDR": "10.0.0.7"}, {"REMOTE_ADDR": ""},
     {"HTTP_X_FORWARDED_FOR": "127.0.0.1"}, {"HTTP_FORWARDED": "for=127.0.0.1"}, {"HTTP_VIA": "1.1 proxy"}],
)  # fmt: skip
def test_nobody_else_is_given_the_figures(client: Client, caller: dict[str, str]) -> None:
    """Not even that they are there: how many look on, and how far behind scoring is, is the organiser's."""
    assert client.get("/metrics", **caller).status_code == 404  # type: ignore[arg-type]
