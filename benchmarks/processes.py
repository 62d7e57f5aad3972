"""The processors under test: started, waited for, measured, ended; and the check that makes a figure count."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psycopg
import redis

from apps.common import embedded, stream
from benchmarks.records import chunks

ROOT = Path(__file__).resolve().parents[1]
STREAM = "bench:t"
PROCESSOR = (sys.executable, "manage.py", "run_processor")
Child = subprocess.Popen[bytes]


def environment(urls: embedded.Urls) -> dict[str, str]:
    settings = {"REDIS_TELEMETRY_STREAM": STREAM, "METRICS_PORT": "0", "LOG_LEVEL": "ERROR"}
    return os.environ | settings | {"DATABASE_URL": urls.database, "REDIS_URL": urls.redis}


def start(urls: embedded.Urls, name: str, command: Sequence[str] = PROCESSOR, **settings: str) -> Child:
    return subprocess.Popen(command, cwd=ROOT, env=environment(urls) | {"INSTANCE_ID": name} | settings)


def wait(children: Sequence[Child], condition: Callable[[], bool]) -> None:
    while not condition():
        if any(child.poll() is not None for child in children):
            raise SystemExit("a processor ended by itself")
        time.sleep(0.02)  # more often, and the asking would be seen in the figures


def end(child: Child) -> resource.struct_rusage:
    """Stop the process; what it used."""
    child.terminate()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return usage


def cpu_s(pid: int) -> float:
    """Processor time of a process so far, seconds."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def peak_mib(pid: int) -> float:
    """The most memory the process held. Not its ru_maxrss: that begins with what this one held at the fork."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def empty(urls: embedded.Urls, client: redis.Redis) -> stream.Group:
    """No positions, no streams; the group, to watch it."""
    with psycopg.connect(urls.database, autocommit=True) as connection:
        connection.execute("truncate positions")
    client.delete(STREAM, stream.dead_letters(STREAM), stream.REQUESTS_STREAM)
    group = stream.Group(client, STREAM, stream.PROCESSOR_GROUP, "watch")
    group.ensure()
    return group


def has_begun(client: redis.Redis) -> bool:
    info: Any = client.xinfo_groups(STREAM)
    return bool(info[0]["entries-read"])


def check(client: redis.Redis, urls: embedded.Urls, count: int) -> None:
    """A figure counts only when each record is stored, once."""
    wanted = {(p.device_id, p.ts) for part in chunks(count) for p in part}
    with psycopg.connect(urls.database) as connection:
        stored = connection.execute("select count(*) from positions").fetchone()
    if stored != (len(wanted),) or client.exists(stream.dead_letters(STREAM)):
        raise SystemExit(f"{stored} positions are stored, {len(wanted)} were sent")
