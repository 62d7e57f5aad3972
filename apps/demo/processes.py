"""The demo's own processes: started together, watched, stopped by their pids."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / ".trm" / "logs"
PATIENCE_S = 15.0
WEB_PATIENCE_S = 120.0  # five processes load TRM at once, on a machine that may do other things beside


class ChildDiedError(RuntimeError):
    """A process ended that should run; the message has the last lines of its log."""


class Child:
    """A process in a session of its own: Ctrl-C reaches the demo alone, and the demo says when to stop."""

    def __init__(self, name: str, arguments: list[str], environment: dict[str, str]) -> None:
        LOGS.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.log = LOGS / f"{name}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*_ended_with_us(), sys.executable, *arguments],
                cwd=ROOT,
                env=os.environ | environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def check(self) -> None:
        """Raises ChildDiedError when it has ended."""
        if self.process.poll() is not None:
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
            raise ChildDiedError(f"{self.name} ended with code {self.process.returncode}; {self.log}:\n{tail}")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def wait(self) -> None:
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Children:
    """Web, processor, scorer, the watch over the crews, and the dispatcher of commands."""

    def __init__(self, port: int) -> None:
        quiet = {"METRICS_PORT": "0", "LOG_LEVEL": "WARNING"}
        web = ["-m", "uvicorn", "trm.asgi:application", "--port", str(port), "--lifespan", "off", "--no-server-header"]
        web += ["--ws-ping-interval", "30", "--ws-max-size", "65536", "--ws", "apps.live.wire_protocol:Wired"]
        self._all: list[Child] = []
        try:
            self._all.append(Child("web", [*web, "--timeout-graceful-shutdown", "3"], {}))
            self._all.append(Child("processor", ["manage.py", "run_processor"], quiet))
            self._all.append(Child("scorer", ["manage.py", "run_scorer"], quiet | {"INSTANCE_ID": "scorer-1"}))
            self._all.append(Child("safety", ["manage.py", "run_safety"], quiet | {"INSTANCE_ID": "safety-1"}))
            self._all.append(Child("commands", ["manage.py", "run_commands"], quiet | {"INSTANCE_ID": "commands-1"}))
            self._wait_for_web(port)
        except BaseException:
            self.stop()
            raise

    def check(self) -> None:
        for child in self._all:
            child.check()

    def stop(self) -> None:
        """End all of them; an impatient second Ctrl-C does not leave any behind."""
        with _undisturbed():
            for child in self._all:
                child.stop()
            for child in self._all:
                child.wait()

    def _wait_for_web(self, port: int) -> None:
        deadline = time.monotonic() + WEB_PATIENCE_S
        while not _answers(port):
            self.check()
            if time.monotonic() > deadline:
                raise ChildDiedError(f"the web server does not answer on port {port}; its log is {LOGS / 'web.log'}")
            time.sleep(0.1)


def _ended_with_us() -> list[str]:
    """Command words that have the kernel end a child whose demo was killed, where util-linux is there."""
    return ["setpriv", "--pdeathsig", "TERM", "--"] if shutil.which("setpriv") else []


@contextmanager
def _undisturbed() -> Iterator[None]:
    held = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)


def free_port(wanted: int) -> int:
    """The wanted port of the loopback address, or any free one when it is taken."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port on 127.0.0.1")


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
