"""manage.py starts servers for the commands that need them, and for no others."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from manage import needs_servers

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(
    ("line", "needs"),
    [
        ("", False),
        ("--version", False),
        ("check --deploy", False),
        ("makemigrations course", False),
        ("analyse_track course.json track.gpx", False),
        ("run_processor --help", False),
        ("run_processor", True),
        ("demo --once", True),
        ("migrate", True),
    ],
)
def test_which_commands_need_servers(line: str, needs: bool) -> None:
    assert needs_servers(line.split()) is needs


@pytest.mark.parametrize("command", ["check", "makemigrations --check --dry-run"])
def test_a_command_without_servers_says_nothing_of_a_database(command: str, tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    words = [sys.executable, "manage.py", *command.split()]
    done = subprocess.run(words, cwd=REPOSITORY, env=clean, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
