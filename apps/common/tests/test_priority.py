"""A process that gives way is served after others: on its own, and as a service with a session of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

from apps.common.priority import AUTOGROUP

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """
import os, threading, time
from apps.common.priority import give_way
threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
give_way(7)
time.sleep(0.2)
give_way(3)
print(*{os.getpriority(os.PRIO_PROCESS, int(task)) for task in os.listdir("/proc/self/task")})
print(open("/proc/self/autogroup").read().split()[-1] if os.path.exists("/proc/self/autogroup") else "none")
"""


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="Linux has a priority for each thread")
@pytest.mark.parametrize("own_session", [False, True])
def test_every_thread_is_lowered_and_none_raised_again(*, own_session: bool) -> None:
    """The session is lowered where it is the process's own, and left alone where others are in it."""
    command = [sys.executable, "-c", SCRIPT]
    answer = subprocess.run(
        command, cwd=ROOT, start_new_session=own_session, capture_output=True, text=True, check=True
    )
    niceness, session = answer.stdout.split()
    assert niceness == "7"
    assert session in (("7", "none") if own_session else (ours(), "none"))


def ours() -> str:
    return AUTOGROUP.read_text().split()[-1] if AUTOGROUP.exists() else "none"
