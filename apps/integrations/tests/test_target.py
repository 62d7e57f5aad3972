"""Nobody makes TRM call into its own network, by whatever spelling or trick of names."""

import socket
import threading
import time
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from apps.integrations.target import TargetError, check_url, post
from apps.integrations.tests.receiver import receiving


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0x7f.0.0.1/", "https://0/",
        "https://10.1.2.3/", "https://192.168.1.1/", "https://172.16.0.1/", "https://169.254.169.254/latest/meta-data",
        "https://100.64.0.1/", "https://224.0.0.1/", "https://[::1]/", "https://[::]/", "https://[fe80::1]/",
        "https://[fd00::1]/", "https://[::ffff:127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/",
        "https://localhost/", "https://x.localhost/", "https://printer.local/",
        "http://example.org/", "ftp://example.org/", "file:///etc/passwd", "https:///x", "https://example.org:0/",
        "https://user:pw@example.org/", "https://example.org:99999/", "https://exa mple.org/", "https://exämple.org/",
    ],
)  # fmt: skip
def test_addresses_that_are_refused(url: str) -> None:
    with pytest.raises(TargetError):
        check_url(url)


def test_public_addresses_are_accepted() -> None:
    assert check_url("https://example.org/hook?x=1").hostname == "example.org"
    assert check_url("https://93.184.216.34:8443/").port == 8443


def test_a_name_that_leads_inside_is_not_called(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """Also when only one of its addresses does: which of them is called would be chance."""

    def lookup(host: str, port: int, **_more: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in ("93.184.216.34", "127.0.0.1")]

    with receiving() as receiver:
        monkeypatch.setattr(socket, "getaddrinfo", lookup)
        answer = post(f"https://rebound.example.org:{receiver.port}/", b"{}", {})
        assert (answer.status, answer.error) == (0, "TargetError: 127.0.0.1 is an address of our own network")
        assert receiver.got == []


def test_where_the_setting_allows_it_our_own_network_is_called(settings: Settings) -> None:
    settings.WEBHOOK_PRIVATE_ADDRESSES = True
    with receiving() as receiver:
        assert post(receiver.url, b"{}", {"x-one": "1"}).is_good
        assert receiver.got[0].headers["x-one"] == "1"
        assert receiver.got[0].headers["host"] == f"127.0.0.1:{receiver.port}"


def test_a_redirect_is_a_failure_and_not_followed(settings: Settings) -> None:
    settings.WEBHOOK_PRIVATE_ADDRESSES = True
    with receiving(lambda: "redirect") as receiver:
        answer = post(receiver.url, b"{}", {})
        assert (answer.status, answer.error, len(receiver.got)) == (302, "HTTP 302", 1)


def test_an_answer_that_drips_ends_with_the_timeout(settings: Settings) -> None:
    """Each byte is in time, so that a timeout of the socket alone would wait for ever."""
    settings.WEBHOOK_PRIVATE_ADDRESSES, settings.WEBHOOK_TIMEOUT_MS = True, 300
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            line, _ = server.accept()
            try:
                while True:
                    line.send(b"H")
                    time.sleep(0.1)
            except OSError:
                line.close()

        threading.Thread(target=drip, daemon=True).start()
        begin = time.monotonic()
        answer = post(f"http://127.0.0.1:{server.getsockname()[1]}/", b"{}", {})
        assert answer.status == 0
        assert time.monotonic() - begin < 2
