"""A process that gives way is served after others: on its own, and as a service with a session of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

from apps.common import priority
from apps.common.priority import session_niceness

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """
import os, threading, time
from apps.common.priority import give_way, session_niceness
threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
give_way(7)
time.sleep(0.2)
give_way(3)
print(*{os.getpriority(os.PRIO_PROCESS, int(task)) for task in os.listdir("/proc/self/task")})
print(session_niceness())
"""


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="Linux has a priority for each thread")
@pytest.mark.parametrize("own_session", [False, True])
def test_every_thread_is_lowered_and_none_raised_again(*, own_session: bool) -> None:
    """The session is lowered where it is the process's own, and left alone where others are in it."""
    command = [sys.executable, "-c", SCRIPT]
    answer = subprocess.run(
        command, cwd=ROOT, start_new_session=own_session, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    niceness, session = answer.stdout.split()
    assert niceness == "7"
    assert session in (("7", "None") if own_session else (str(session_niceness()),))


@pytest.mark.parametrize("text", ["", "\n", "/autogroup-7 nice 5\n", None])
def test_a_session_without_a_group_has_no_niceness(
    text: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container's first session has the file and nothing in it: the continuous integration found it."""
    file = tmp_path / "autogroup"
    if text is not None:
        file.write_text(text)
    monkeypatch.setattr(priority, "AUTOGROUP", file)
    assert session_niceness() == (5 if text and text.strip() else None)
