"""The loop of commands: patience with servers, none with faults, and an end that comes in time."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from redis.exceptions import ReadOnlyError

from apps.common import loop
from apps.common.loop import Loop

ROOT = Path(__file__).resolve().parents[3]

STUCK = """
import os, signal, threading, time
import django
django.setup()
from apps.common.loop import Loop

class Stuck:
    def prepare(self): pass
    def finish(self): pass
    def step(self):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(30)

Loop(Stuck(), lambda: None, drain_s=0.2).run()
"""


class Script:
    """A worker whose steps do what the script says; the last one asks the process to stop."""

    def __init__(self, *acts: Callable[[], object]) -> None:
        self.acts = list(acts)
        self.calls: list[str] = []

    def prepare(self) -> None:
        self.calls.append("prepare")

    def step(self) -> bool:
        self.calls.append("step")
        self.acts.pop(0)()
        return True

    def finish(self) -> None:
        self.calls.append("finish")


def failing(error: Exception) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.fixture(autouse=True)
def _own_signals(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    monkeypatch.setattr(loop, "LONGEST_WAIT_S", 0.01)
    monkeypatch.setattr(loop, "close_database", lambda: None)
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


def run(worker: Script) -> list[str]:
    Loop(worker, lambda: None).run()
    return worker.calls


def test_a_signal_lets_the_unit_at_work_end_and_tidies_up() -> None:
    assert run(Script(lambda: None, stop)) == ["prepare", "step", "step", "finish"]


@pytest.mark.parametrize(
    "error",
    [
        redis.ConnectionError("gone"),
        redis.TimeoutError("slow"),
        ReadOnlyError("failed over"),
        psycopg.OperationalError("restarting"),
        psycopg.InterfaceError("closed"),
    ],
)
def test_a_server_that_is_away_is_waited_for_and_work_begins_anew(error: Exception) -> None:
    assert run(Script(failing(error), failing(error), stop)) == ["prepare", "step"] * 3 + ["finish"]


def test_an_end_in_time_leaves_no_limit_ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects whatever the process does after the loop: the limit once ended the whole test run."""
    given_up: list[int] = []
    monkeypatch.setattr(Loop, "_give_up", lambda self: given_up.append(1))
    Loop(Script(stop), lambda: None, drain_s=0.05).run()
    time.sleep(0.15)
    assert not given_up


def test_a_fault_of_ours_ends_the_process() -> None:
    with pytest.raises(KeyError):
        run(Script(failing(KeyError("bug"))))


def test_a_server_that_is_away_at_the_end_does_not_keep_the_process() -> None:
    worker = Script(stop)
    worker.finish = failing(redis.ConnectionError("gone"))  # type: ignore[method-assign]
    assert run(worker) == ["prepare", "step"]


def test_the_loop_beats_while_it_waits_for_a_server() -> None:
    beats: list[int] = []
    Loop(Script(failing(redis.ConnectionError("gone")), stop), lambda: beats.append(1)).run()
    assert len(beats) == 2


def test_waiting_for_a_server_ends_at_once_on_a_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "LONGEST_WAIT_S", 30.0)
    monkeypatch.setattr("apps.common.loop.random.uniform", lambda *_: 100.0)
    threading.Timer(0.2, stop).start()
    begin = time.monotonic()
    run(Script(failing(redis.ConnectionError("gone"))))
    assert time.monotonic() - begin < 5


def test_a_unit_that_hangs_is_left_after_the_drain_time() -> None:
    """Bounded drain: what is not acknowledged comes again, so leaving loses nothing."""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "trm.settings"}
    begin = time.monotonic()
    done = subprocess.run([sys.executable, "-c", STUCK], cwd=ROOT, env=environment, capture_output=True, timeout=20)
    assert done.returncode == 1 and b"left with work in hand" in done.stderr
    assert time.monotonic() - begin < 15
