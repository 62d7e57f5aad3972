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

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.slow


def start(tmp_path: Path, *arguments: str) -> subprocess.Popen[str]:
    """The demo in a copy of the tree, so that its servers and logs are its own."""
    for name in ("apps", "trm", "migrations", "sql"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "tests"))
    shutil.copy(ROOT / "manage.py", tmp_path)
    clean = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")}
    return subprocess.Popen(
        [sys.executable, "manage.py", "demo", "--entries", "7", "--port", "0", *arguments],
        cwd=tmp_path,
        env=clean,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_once_runs_to_the_end_and_prints_the_classification(tmp_path: Path) -> None:
    process = start(tmp_path, "--once")
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0, out
    overall = out.split("Rally Albania 2026: overall")[1]
    assert len(re.findall(r"^ +\d+ .* finished$", overall, re.MULTILINE)) == 6
    assert len(re.findall(r" dnf$", overall, re.MULTILINE)) == 1


def test_ctrl_c_ends_everything(tmp_path: Path) -> None:
    """Protects the newcomer's machine: no server is left behind."""
    process = start(tmp_path, "--speed", "20")
    assert process.stdout is not None
    lines: list[str] = []
    while "Ctrl-C" not in (lines[-1] if lines else ""):
        lines.append(process.stdout.readline())
        assert process.poll() is None, "".join(lines)
    url = re.search(r"http://\S+/live/rally-albania-2026/", "".join(lines))
    assert url is not None
    with urllib.request.urlopen(url[0], timeout=10) as page:
        assert "Rally Albania 2026" in page.read().decode()
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and "Stopped." in out, out
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url[0], timeout=5)
