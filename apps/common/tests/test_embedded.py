"""The embedded servers really start, are shared, and end with their owner. Every test runs real servers."""

import json
import os
import shutil
import signal
import site
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from apps.common import embedded
from apps.common.embedded import process
from apps.common.embedded.server import Reserved

REPOSITORY = Path(__file__).resolve().parents[3]
# Prints the URLs, then sleeps; at Ctrl-C it proves that the servers are still there for its last words.
OWNER = """
import json, sys, time
from pathlib import Path
import psycopg, redis
from apps.common import embedded
with embedded.servers(Path(sys.argv[1]), fast=len(sys.argv) < 3) as urls:
    try:
        print(json.dumps([urls.database, urls.redis]), flush=True)
        time.sleep(120)
    except KeyboardInterrupt:
        time.sleep(0.5)
        with psycopg.connect(urls.database) as connection, redis.Redis.from_url(urls.redis) as client:
            print("last words", connection.execute("SELECT 1").fetchone()[0], client.ping(), flush=True)
"""
AS_COMMAND = """
import os, sys, time
from pathlib import Path
from apps.common import embedded
embedded.ensure_environment(Path(sys.argv[1]))
print(os.environ["DATABASE_URL"], os.environ["REDIS_URL"], flush=True)
time.sleep(120)
"""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
needs_death_signal = pytest.mark.skipif(
    not shutil.which("setpriv"), reason="without util-linux nobody tells an orphan to end"
)

Spawn = Callable[..., subprocess.Popen[str]]


@contextmanager
def passable_directory() -> Iterator[Path]:
    """A directory that other users may pass through, as pytest's own are not."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "servers"


@pytest.fixture
def spawn(home: Path) -> Iterator[Spawn]:
    """Run a script on `home` in a process group of its own; ended after the test."""
    running: list[subprocess.Popen[str]] = []

    def run(
        script: str,
        *words: str,
        prefix: tuple[str, ...] = (),
        python: str = sys.executable,
        **variables: str,
    ) -> subprocess.Popen[str]:
        clean = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
        child = subprocess.Popen(
            [*prefix, python, "-c", script, str(home), *words],
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
            env={**clean, "PYTHONPATH": str(REPOSITORY), **variables},
            start_new_session=True,
        )
        running.append(child)
        return child

    yield run
    for child in running:
        child.kill()
        child.wait()
    _wait_until(lambda: not any(_alive(pid) for pid in _pids(home)))


def _line(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def _urls(child: subprocess.Popen[str]) -> embedded.Urls:
    return embedded.Urls(*json.loads(_line(child)))


def _pids(home: Path) -> list[int]:
    path = home / "servers.json"
    lines = json.loads(path.read_text()).values() if path.exists() else []
    return [int(line["process"].partition(":")[0]) for line in lines]


def _alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False


def _wait_until(condition: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def _answer(urls: embedded.Urls) -> tuple[Any, Any]:
    with psycopg.connect(urls.database) as connection, redis.Redis.from_url(urls.redis) as client:
        row = connection.execute("SELECT 1").fetchone()
        return row and row[0], client.ping()


def test_both_servers_answer_on_the_loopback_address_alone_with_a_password(home: Path) -> None:
    with embedded.servers(home, fast=True) as urls:
        assert _answer(urls) == (1, True)
        with psycopg.connect(urls.database) as connection, redis.Redis.from_url(urls.redis) as client:
            shown = connection.execute("SHOW listen_addresses").fetchone()
            sockets = connection.execute("SHOW unix_socket_directories").fetchone()
            assert (shown, sockets) == (("127.0.0.1",), ("",))
            assert client.config_get("bind") == {"bind": "127.0.0.1"}
        for url in (urls.database, urls.redis):
            assert urlsplit(url).password
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(urls.database.replace("trm:", "trm:wrong"))
        with pytest.raises(redis.AuthenticationError):
            redis.Redis.from_url(f"redis://127.0.0.1:{urlsplit(urls.redis).port}").ping()


def test_passwords_stay_out_of_command_lines_and_readable_files(home: Path) -> None:
    with embedded.servers(home, fast=True) as urls:
        secrets = [(urlsplit(url).password or "").encode() for url in (urls.database, urls.redis)]
        for pid in _pids(home):
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
            assert not any(secret in words for secret in secrets)
        holders = [p for p in home.rglob("*") if p.is_file() and any(s in p.read_bytes() for s in secrets)]
        assert {path.name for path in holders} == {"servers.json", "password", "valkey.conf"}
        assert all(path.stat().st_mode & 0o077 == 0 for path in holders)


def test_no_other_directory_changes_its_mode(tmp_path: Path) -> None:
    package = Path(embedded.__file__)
    watched = [tmp_path, *tmp_path.parents, *package.parents, *embedded.Postgres(tmp_path).binary.parents]
    before = [path.stat().st_mode for path in watched]
    with embedded.servers(tmp_path / "servers", fast=True):
        pass
    assert [path.stat().st_mode for path in watched] == before
    assert (tmp_path / "servers").stat().st_mode & 0o066 == 0


def test_leaving_the_block_ends_the_servers_and_keeps_the_data(home: Path) -> None:
    with embedded.servers(home) as urls, psycopg.connect(urls.database) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        connection.commit()
        with redis.Redis.from_url(urls.redis) as client:
            client.set("kept", "8")
        pids = _pids(home)
    assert not any(_alive(pid) for pid in pids)
    assert not (home / "servers.json").exists()
    assert "database system is shut down" in (home / "postgres" / "log").read_text()
    with embedded.servers(home) as urls, psycopg.connect(urls.database) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (7,)
        with redis.Redis.from_url(urls.redis, decode_responses=True) as client:
            assert client.get("kept") == "8"


def test_a_second_process_attaches_and_leaves_the_servers_running(spawn: Spawn, home: Path) -> None:
    owner = spawn(OWNER)
    urls = _urls(owner)
    with embedded.servers(home) as attached:
        assert attached == urls
    assert _answer(urls) == (1, True)


def test_two_processes_starting_at_once_share_one_pair(spawn: Spawn) -> None:
    first, second = spawn(OWNER), spawn(OWNER)
    assert _urls(first) == _urls(second)


@needs_death_signal
def test_a_killed_owner_takes_its_servers_along_and_the_next_one_starts(spawn: Spawn, home: Path) -> None:
    owner = spawn(OWNER, "durable")
    with psycopg.connect(_urls(owner).database) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    pids = _pids(home)
    assert len(pids) == 2
    owner.kill()
    owner.wait()
    # At once, while the orphans are still ending and servers.json still names them.
    with embedded.servers(home) as urls, psycopg.connect(urls.database) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (7,)
    assert not any(_alive(pid) for pid in pids)


def test_ctrl_c_in_the_terminal_leaves_the_servers_up_until_their_owner_is_done(spawn: Spawn, home: Path) -> None:
    owner = spawn(OWNER)
    _urls(owner)
    pids = _pids(home)
    os.killpg(owner.pid, signal.SIGINT)
    assert _line(owner) == "last words 1 True"
    assert owner.wait(20) == 0
    assert not any(_alive(pid) for pid in pids)


def test_sigterm_ends_a_command_and_its_servers(spawn: Spawn, home: Path) -> None:
    command = spawn(AS_COMMAND)
    assert _line(command)
    pids = _pids(home)
    command.terminate()
    assert command.wait(20) == 128 + signal.SIGTERM
    assert not any(_alive(pid) for pid in pids)
    assert not (home / "servers.json").exists()


def test_only_the_server_without_a_url_is_started(spawn: Spawn, home: Path) -> None:
    command = spawn(AS_COMMAND, DATABASE_URL="postgres://elsewhere/db")
    database, cache = _line(command).split()
    assert database == "postgres://elsewhere/db"
    assert cache.startswith("redis://:")
    assert len(_pids(home)) == 1
    assert not (home / "postgres").exists()


def test_a_stale_ledger_is_no_obstacle(home: Path) -> None:
    """Its numbers belong to other processes by now: to this test, which must survive."""
    home.mkdir()
    gone = {"url": "redis://127.0.0.1:1/0", "process": f"{os.getpid()}:1", "owner": "1:1"}
    lines = {"valkey": gone, "postgres": {**gone, "url": "postgres://127.0.0.1:1/x"}}
    (home / "servers.json").write_text(json.dumps(lines))
    with embedded.servers(home, fast=True) as urls:
        assert _answer(urls) == (1, True)


def test_a_lost_port_is_said_with_the_servers_own_words(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(embedded.EmbeddedServerError, match=r"(?s)valkey did not start.*already in use"):
            embedded.Valkey(home, reserved=Reserved(port, "secret")).start()


def test_a_missing_wheel_names_both_ways_out(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded.Postgres, "module", "no_such_wheel")
    with pytest.raises(embedded.EmbeddedServerError, match=r"install trm\[embedded\].*DATABASE_URL"):
        embedded.Postgres(home).start()


@needs_root
def test_root_without_user_namespaces_runs_the_servers_as_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_drop_root", lambda: process.AS_NOBODY)
    with passable_directory() as home, embedded.servers(home / "servers", fast=True) as urls:
        assert _answer(urls) == (1, True)
        owners = {Path(f"/proc/{pid}").stat().st_uid for pid in _pids(home / "servers")}
        assert owners == {process.NOBODY}


@needs_root
def test_a_place_that_nobody_can_reach_is_said_and_stays_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_drop_root", lambda: process.AS_NOBODY)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(embedded.EmbeddedServerError, match="cannot be reached"):
        embedded.Valkey(closed / "servers").start()
    assert closed.stat().st_mode & 0o777 == 0o700


def _interpreter_for_nobody(path: str) -> str | None:
    """A Python that another user can run: the virtual environment's may lie in a private home."""
    for python in (sys.executable, "/usr/bin/python3"):
        words = [*process.AS_NOBODY, "env", f"PYTHONPATH={path}", python, "-c", "import psycopg, redis"]
        if subprocess.run(words, capture_output=True, check=False, cwd="/").returncode == 0:
            return python
    return None


@needs_root
def test_an_ordinary_user_runs_the_servers_too(spawn: Spawn) -> None:
    """As nobody, in a directory of its own: no root, no namespace, no chown."""
    path = os.pathsep.join([str(REPOSITORY), *site.getsitepackages()])
    python = _interpreter_for_nobody(path)
    if python is None:
        pytest.skip("no Python with TRM's packages can be reached by another user")
    with passable_directory() as place:
        os.chown(place, process.NOBODY, process.NOBODY)
        script = OWNER.replace("sys.argv[1]", repr(str(place / "servers")))
        owner = spawn(script, prefix=process.AS_NOBODY, python=python, PYTHONPATH=path)
        assert _answer(_urls(owner)) == (1, True)
        owners = {Path(f"/proc/{pid}").stat().st_uid for pid in _pids(place / "servers")}
        assert owners == {process.NOBODY}
        os.killpg(owner.pid, signal.SIGINT)
        assert owner.wait(20) == 0
