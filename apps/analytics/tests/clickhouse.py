"""A real ClickHouse server for tests, where one is installed (apt-get install clickhouse-server)."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from apps.analytics.clickhouse import ClickHouse
from apps.analytics.files import StoreAwayError
from apps.common.embedded.server import free_port

PROGRAM = shutil.which("clickhouse-server") or ""
PASSWORD = "s3cret & more"  # noqa: S105 - of a server that lives as long as a test
CONFIG = """<?xml version="1.0"?>
<yandex>
  <logger><level>warning</level><log>{home}/server.log</log><errorlog>{home}/error.log</errorlog></logger>
  <listen_host>127.0.0.1</listen_host>
  <http_port>{http}</http_port><tcp_port>{tcp}</tcp_port>
  <path>{home}/data/</path><tmp_path>{home}/tmp/</tmp_path>
  <mark_cache_size>16777216</mark_cache_size>
  <users_config>{home}/users.xml</users_config>
  <default_profile>default</default_profile><default_database>default</default_database>
</yandex>
"""
USERS = """<?xml version="1.0"?>
<yandex>
  <profiles><default/></profiles>
  <quotas><default/></quotas>
  <users><trm>
    <password>{password}</password><networks><ip>127.0.0.1</ip></networks>
    <profile>default</profile><quota>default</quota>
  </trm></users>
</yandex>
"""


@contextmanager
def running(home: Path) -> Iterator[str]:
    """The URL of a server that keeps its data under `home`."""
    port = free_port()
    words = {"home": home, "http": port, "tcp": free_port(), "password": PASSWORD.replace("&", "&amp;")}
    (home / "config.xml").write_text(CONFIG.format(**words))
    (home / "users.xml").write_text(USERS.format(**words))
    process = subprocess.Popen(
        [PROGRAM, f"--config-file={home}/config.xml"], cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"clickhouse://trm:s3cret%20%26%20more@127.0.0.1:{port}/default"
    try:
        _wait(url, process, home)
        yield url
    finally:
        process.kill()
        process.wait()


def _wait(url: str, process: "subprocess.Popen[bytes]", home: Path) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            ClickHouse(url).execute("SELECT 1")
            return
        except StoreAwayError:
            log = (home / "error.log").read_text() if (home / "error.log").exists() else ""
            assert process.poll() is None and time.monotonic() < end, log
            time.sleep(0.1)
