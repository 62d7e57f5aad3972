"""`manage.py demo` as a newcomer runs it: with nothing set, from the first fix to the last rank."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

pytestmark = pytest.mark.slow


PROCESSES = ("trm.asgi:application", "run_processor", "run_scorer", "run_safety", "run_commands")
NEEDS_PROC = pytest.mark.skipif(not Path("/proc/self").exists(), reason="this system has no /proc")


def start(place: Path, *arguments: str) -> subprocess.Popen[str]:
    """The demo in its own copy of the tree, with servers of its own."""
    clean = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")}
    return subprocess.Popen(
        [sys.executable, "manage.py", "demo", "--entries", "7", "--port", "0", *arguments],
        cwd=place,
        env=clean,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def welcome(process: subprocess.Popen[str]) -> str:
    """What the demo says until it is on."""
    assert process.stdout is not None
    lines: list[str] = []
    while "Ctrl-C" not in (lines[-1] if lines else ""):
        lines.append(process.stdout.readline())
        assert process.poll() is None, "".join(lines)
    return "".join(lines)


def children(pid: int) -> dict[str, int]:
    """The demo's processes by the word that names them; its servers are children too."""
    found = {}
    for number in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        for word in Path(f"/proc/{number}/cmdline").read_text().split("\0"):
            found[word] = int(number)
    return {word: found[word] for word in PROCESSES if word in found}


def test_once_runs_to_the_end_and_prints_the_classification(place: Path) -> None:
    process = start(place, "--once")
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0, out
    overall = out.split("Rally Albania 2026: overall")[1]
    assert len(re.findall(r"^ +\d+ .* finished$", overall, re.MULTILINE)) == 6
    assert len(re.findall(r" dnf$", overall, re.MULTILINE)) == 1


def test_ctrl_c_ends_everything(place: Path) -> None:
    """Protects the newcomer's machine: no server is left behind."""
    process = start(place, "--speed", "20")
    said = welcome(process)
    url = re.search(r"http://\S+/live/rally-albania-2026/", said)
    assert url is not None
    assert len(re.findall(r"@demo\.invalid +\S{12}$", said, re.MULTILINE)) == 3
    with urllib.request.urlopen(url[0], timeout=10) as page:
        assert "Rally Albania 2026" in page.read().decode()
    for page_of_all in re.findall(r"^  (?:map|replay|documents|REST API) +(http\S+)$", said, re.MULTILINE):
        with urllib.request.urlopen(page_of_all, timeout=10) as page:
            assert page.status == 200
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and "Stopped." in out, out
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url[0], timeout=5)


@NEEDS_PROC
def test_sigterm_ends_it_and_a_second_signal_does_not_leave_children(place: Path) -> None:
    process = start(place, "--speed", "20")
    welcome(process)
    running = children(process.pid)
    assert set(PROCESSES) == set(running)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert not any(Path(f"/proc/{pid}").exists() for pid in running.values())


@NEEDS_PROC
def test_a_child_that_dies_ends_the_demo_with_its_last_words(place: Path) -> None:
    process = start(place, "--speed", "20")
    welcome(process)
    os.kill(children(process.pid)["run_scorer"], signal.SIGKILL)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "scorer ended with code -9" in out and "scorer.log" in out


@NEEDS_PROC
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="util-linux's setpriv is not here")
def test_a_killed_demo_leaves_no_children_and_its_fixes_to_the_next(place: Path) -> None:
    """Protects a laptop after a crash: the next demo is whole, with nothing of the last one in it."""
    process = start(place, "--speed", "60", "--seed", "3")
    welcome(process)
    running = children(process.pid)
    time.sleep(3)
    process.kill()
    process.communicate(timeout=60)
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in running.values()):
        assert time.monotonic() < deadline, running
        time.sleep(0.1)
    again = start(place, "--once")
    out, _ = again.communicate(timeout=120)
    assert again.returncode == 0 and len(re.findall(r" dnf$", out.split(": overall")[1], re.MULTILINE)) == 1, out


def test_wrong_arguments_are_all_named() -> None:
    with pytest.raises(CommandError, match="--entries is from 1 to 180; --seed is from 0; --port"):
        call_command("demo", entries=0, seed=-1, port=70_000)
