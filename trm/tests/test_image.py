"""The image: linted, without root, complete; its entry and its probe do what the healthchecks rely on."""

import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType

import pytest

from trm.tests.deployment import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()


@pytest.fixture(scope="module")
def probe() -> ModuleType:
    spec = importlib.util.spec_from_file_location("probe", ROOT / "deploy" / "probe.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(not shutil.which("hadolint"), reason="no hadolint here: CI's image job has it")
def test_hadolint_has_nothing_to_say() -> None:
    done = subprocess.run(["hadolint", ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_does_not_run_as_root() -> None:
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]


def test_wheels_are_locked_with_their_hashes() -> None:
    assert "--require-hashes -r locks/base.txt" in DOCKERFILE
    assert DOCKERFILE.count("pip install") == 1


def test_what_is_copied_is_there_and_not_ignored() -> None:
    ignored = {line.strip() for line in (ROOT / ".dockerignore").read_text().splitlines()}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    for source in " ".join(copied).split():
        assert (ROOT / source).exists(), source
        assert source not in ignored, source


def test_every_package_that_settings_load_is_copied() -> None:
    assert {"trm", "apps", "migrations", "sql", "manage.py"} <= set(
        re.findall(r"^COPY (\S+) ", DOCKERFILE, re.MULTILINE)
    )


@pytest.mark.parametrize(("given", "seen"), [("scorer-7", "scorer-7"), ("", socket.gethostname())])
def test_a_container_without_a_name_takes_its_hosts(given: str, seen: str) -> None:
    words = [
        str(ROOT / "deploy" / "entrypoint.sh"),
        sys.executable,
        "-c",
        "import os; print(os.environ['INSTANCE_ID'])",
    ]
    environment = {**os.environ, "INSTANCE_ID": given}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == seen


def test_the_probe_tells_a_healthy_server_from_an_ill_and_a_silent_one(probe: ModuleType) -> None:
    with HTTPServer(("127.0.0.1", 0), _Ill) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        assert probe.main([f"{base}/healthz"]) == ""
        assert "503" in probe.main([f"{base}/readyz"])
        server.shutdown()
    assert probe.main([f"{base}/healthz"]) != ""


def test_the_probe_tells_a_fresh_file_from_an_old_and_a_missing_one(probe: ModuleType, tmp_path: Path) -> None:
    schedule = tmp_path / "beat-schedule"
    assert "not there" in probe.main(["--fresh", "600", str(schedule)])
    written = tmp_path / "beat-schedule.db"
    written.touch()
    assert probe.main(["--fresh", "600", str(schedule)]) == ""
    os.utime(written, (0, 0))
    assert "last written" in probe.main(["--fresh", "600", str(schedule)])


class _Ill(BaseHTTPRequestHandler):
    """Alive, but not ready."""

    def do_GET(self) -> None:  # noqa: N802 - the name http.server calls
        self.send_response(200 if self.path == "/healthz" else 503)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        return
