"""Machines read one JSON object a line, people read text; in processes of their own, as set-up is global."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from apps.common.logs import service_name

REPOSITORY = Path(__file__).resolve().parents[3]
SCRIPT = """
import logging, structlog
from apps.common.logs import configure
configure({"service": "processor", "instance_id": "processor-7", "level": "INFO"})
structlog.get_logger("trm.own").info("dead letter", device="350", error={"field": "ts"})
structlog.get_logger("trm.own").debug("never seen")
logging.getLogger("django.request").warning("Not found: %s", "/x")
try:
    raise ValueError("two\\nlines")
except ValueError:
    logging.getLogger("lib").exception("it broke")
"""


def _run(stderr: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", SCRIPT]
    return subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=stderr, text=True, check=True)


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    done = _run(subprocess.PIPE)
    assert done.stdout == ""
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_each_record_is_one_line_with_its_process_time_and_level(lines: list[dict[str, Any]]) -> None:
    assert [line["event"] for line in lines] == ["dead letter", "Not found: /x", "it broke"]
    assert [line["level"] for line in lines] == ["info", "warning", "error"]
    for line in lines:
        assert (line["service"], line["instance_id"]) == ("processor", "processor-7")
        assert line["time"].endswith("Z")


def test_fields_keep_their_shape(lines: list[dict[str, Any]]) -> None:
    assert lines[0]["device"] == "350"
    assert lines[0]["error"] == {"field": "ts"}
    assert lines[0]["logger"] == "trm.own"


def test_a_traceback_is_a_field_and_not_more_lines(lines: list[dict[str, Any]]) -> None:
    assert "ValueError: two\nlines" in lines[2]["exception"]


def test_a_terminal_gets_text() -> None:
    reader, writer = pty.openpty()
    _run(writer)
    os.close(writer)
    text = os.read(reader, 65536).decode()
    os.close(reader)
    assert "dead letter" in text
    assert not text.lstrip().startswith("{")


@pytest.mark.parametrize(
    ("arguments", "service"),
    [
        (["manage.py", "run_processor", "--x"], "processor"),
        (["/app/manage.py", "run_scorer"], "scorer"),
        (["manage.py", "demo"], "demo"),
        (["/venv/bin/uvicorn", "trm.asgi:application"], "web"),
        (["manage.py"], "manage.py"),
        ([], "trm"),
    ],
)
def test_a_process_is_called_by_what_it_does(arguments: list[str], service: str) -> None:
    assert service_name(arguments) == service
