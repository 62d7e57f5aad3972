"""The image: linted, without root, complete; its entry and its probe do what the healthchecks rely on."""

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from trm.tests.deployment import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()


def probe(*words: str) -> tuple[int, str]:
    """Exit code and complaint of the probe, run as the healthchecks run it."""
    done = subprocess.run([sys.executable, ROOT / "deploy" / "probe.py", *words], capture_output=True, text=True)
    return done.returncode, done.stderr.strip()


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


def test_the_probe_tells_a_healthy_server_from_an_ill_and_a_silent_one() -> None:
    with HTTPServer(("127.0.0.1", 0), _Ill) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        assert probe(f"{base}/healthz") == (0, "")
        ill, why = probe(f"{base}/readyz")
        assert (ill, "503" in why) == (1, True)
        server.shutdown()
    silent, why = probe(f"{base}/healthz")
    assert (silent, why != "") == (1, True)


def test_the_probe_tells_a_fresh_file_from_an_old_and_a_missing_one(tmp_path: Path) -> None:
    schedule = tmp_path / "beat-schedule"
    assert probe("--fresh", "600", str(schedule)) == (1, f"{schedule} is not there")
    written = tmp_path / "beat-schedule.db"
    written.touch()
    assert probe("--fresh", "600", str(schedule)) == (0, "")
    os.utime(written, (0, 0))
    old, why = probe("--fresh", "600", str(schedule))
    assert (old, "last written" in why) == (1, True)


# Loads what the processes of the deployment load before their first work, as if nothing were installed but what the
# image has: of a library that only tests bring, the rest would not notice that it is missing.
AS_IN_THE_IMAGE = """
import sys
from importlib.metadata import packages_distributions

class Missing:
    def find_spec(name, path=None, target=None):
        owners = packages.get(name, [])
        if owners and not locked & {one.lower().replace("_", "-") for one in owners}:
            raise ModuleNotFoundError(f"No module named {name!r} in the image", name=name)

locked, packages = set(sys.argv[1:]), packages_distributions()
sys.meta_path.insert(0, Missing)
import trm.asgi, uvicorn.protocols.http.httptools_impl, apps.live.wire_protocol
from trm import celery_app
celery_app.loader.import_default_modules()
celery_app.connection_for_write().transport, celery_app.backend
"""


def test_the_image_has_all_that_its_processes_load() -> None:
    locked = re.findall(r"^([\w.-]+)==", (ROOT / "locks" / "base.txt").read_text(), re.MULTILINE)
    words = [sys.executable, "-W", "ignore", "-c", AS_IN_THE_IMAGE, *locked]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


class _Ill(BaseHTTPRequestHandler):
    """Alive, but not ready."""

    def do_GET(self) -> None:  # noqa: N802 - the name http.server calls
        self.send_response(200 if self.path == "/healthz" else 503)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        return
