"""What a probe and Prometheus see of a command."""

import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client import Counter

from apps.common.metrics import MetricsPortError, MetricsServer, Pulse, serve

probes = Counter("trm_test_probes", "Only this test counts here")


class Process:
    """A command as its probes see it."""

    alive = True
    reason = ""

    def is_alive(self) -> bool:
        return self.alive

    def not_ready(self) -> str:
        return self.reason


@pytest.fixture
def process() -> Process:
    return Process()


@pytest.fixture
def server(process: Process) -> Iterator[MetricsServer]:
    server = MetricsServer(0, alive=process.is_alive, not_ready=process.not_ready)
    yield server
    server.close()


def _get(server: MetricsServer, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_metrics_are_those_of_the_process(server: MetricsServer) -> None:
    probes.inc()
    status, text = _get(server, "/metrics")
    assert status == 200
    assert "trm_test_probes_total 1.0" in text


def test_health_is_of_the_loop_and_readiness_of_the_servers(server: MetricsServer, process: Process) -> None:
    assert _get(server, "/healthz") == (200, "ok\n")
    assert _get(server, "/readyz") == (200, "ok\n")
    process.reason = "Redis: gone"
    assert _get(server, "/healthz") == (200, "ok\n")
    assert _get(server, "/readyz") == (503, "Redis: gone\n")
    process.alive = False
    assert _get(server, "/healthz")[0] == 503


def test_other_paths_are_not_found(server: MetricsServer) -> None:
    assert _get(server, "/etc/passwd")[0] == 404


def test_only_this_machine_may_ask(server: MetricsServer) -> None:
    assert server.server_address[0] == "127.0.0.1"


def test_port_0_serves_nothing(process: Process) -> None:
    assert serve(0, alive=process.is_alive, not_ready=process.not_ready) is None


def test_a_taken_port_is_named(process: Process) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(MetricsPortError, match=f"METRICS_PORT={port} .*in use"):
            serve(port, alive=process.is_alive, not_ready=process.not_ready)


def test_a_closed_server_frees_its_port(process: Process) -> None:
    first = MetricsServer(0, alive=process.is_alive, not_ready=process.not_ready)
    first.close()
    second = serve(first.port, alive=process.is_alive, not_ready=process.not_ready)
    assert second is not None
    second.close()


def test_a_loop_that_stands_still_loses_its_pulse(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    pulse = Pulse()
    now += 29
    assert pulse.is_beating()
    now += 2
    assert not pulse.is_beating()
    pulse.beat()
    assert pulse.is_beating()
