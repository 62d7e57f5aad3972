"""Giving way to other processes of the same machine."""

import os
from contextlib import suppress
from pathlib import Path

AUTOGROUP = Path("/proc/self/autogroup")
TASKS = Path("/proc/self/task")


def give_way(nice: int) -> None:
    """Lower the process's priority, and of all it starts, to `nice` (0 to 19); never raise it.

    Where Linux groups processes by session (`sched_autogroup_enabled`, the default) nice counts inside a session alone,
    and a service is one of its own: then the whole session is lowered, unless we share it with whoever began it.
    """
    for thread in _threads():
        with suppress(ProcessLookupError):  # ended since it was listed
            os.setpriority(os.PRIO_PROCESS, thread, max(nice, os.getpriority(os.PRIO_PROCESS, thread)))
    of_session = session_niceness()
    if of_session is not None and os.getsid(0) == os.getpid():
        with suppress(OSError):  # not ours to write: a container has its own share
            AUTOGROUP.write_text(str(max(nice, of_session)))


def session_niceness() -> int | None:
    """The nice of our session's group; None where there is none: no Linux, switched off, or the machine's first one.

    A session begun before grouping was on, as a container's often is, has the file, and nothing in it.
    """
    try:
        return int(AUTOGROUP.read_text().split()[-1])
    except (OSError, ValueError, IndexError):
        return None


def _threads() -> list[int]:
    """Those there are; later ones inherit. Linux keeps a priority for each thread; elsewhere 0 is the process."""
    return [int(task.name) for task in TASKS.iterdir()] if TASKS.is_dir() else [0]
