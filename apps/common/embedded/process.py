"""How an embedded server runs: without root's rights, in its own session, ended with its owner."""

import os
import shutil
import signal
import subprocess
from functools import cache
from pathlib import Path

NOBODY = 65534
AS_NOBODY_IN_A_NAMESPACE = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--")
AS_NOBODY = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--")


class EmbeddedServerError(Exception):
    """An embedded server cannot be installed, started or reached; the message says what to do."""


def launch_prefix(death_signal: signal.Signals) -> list[str]:
    """The command words that come before the server's own: they drop root and arm the death signal.

    The death signal is armed last, because a change of user or namespace clears it. Without util-linux
    (macOS) there is none, and a server outlives an owner that was killed until the next start finds it.
    """
    words = list(_drop_root()) if os.geteuid() == 0 else []
    if shutil.which("setpriv"):
        words += ["setpriv", "--pdeathsig", death_signal.name, "--"]
    return words


@cache
def _drop_root() -> tuple[str, ...]:
    """PostgreSQL refuses to run as root. In a user namespace it is nobody while its files stay root's own."""
    if shutil.which("unshare") and _succeeds([*AS_NOBODY_IN_A_NAMESPACE, "true"]):
        return AS_NOBODY_IN_A_NAMESPACE
    if shutil.which("setpriv"):
        return AS_NOBODY
    raise EmbeddedServerError(
        "PostgreSQL does not run as root, and neither unshare nor setpriv (util-linux) is there to drop it: "
        "run TRM as an ordinary user, or set DATABASE_URL and REDIS_URL"
    )


def give_to_server(*paths: Path) -> None:
    """Let the server's user own what TRM made for it; needed only where it is another user than ours."""
    if os.geteuid() == 0 and _drop_root() is AS_NOBODY:
        for path in paths:
            os.chown(path, NOBODY, NOBODY)


def make_directory(path: Path) -> None:
    """Make `path` (0700), passable for the server's user if that is another. What exists keeps its mode."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        return
    if os.geteuid() == 0 and _drop_root() is AS_NOBODY:
        path.chmod(0o711)


def check_reachable(path: Path) -> None:
    """Raise EmbeddedServerError unless the server's user can reach `path`, e.g. a venv in root's home."""
    words = list(_drop_root()) if os.geteuid() == 0 else []
    if not _succeeds([*words, "test", "-r", str(path)]):
        raise EmbeddedServerError(
            f"{path} cannot be reached by the user that the embedded servers run as (nobody, because this is "
            "root without user namespaces): put it where others may pass, run TRM as an ordinary user, "
            "or set DATABASE_URL and REDIS_URL"
        )


def spawn(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    """Start `command` with its output in `log`; the log of the run before is kept as `<log>.previous`."""
    if log.exists():
        log.replace(log.with_name(log.name + ".previous"))
    with log.open("wb") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            # Ctrl-C reaches the whole foreground group: the servers must outlive the processes using them.
            start_new_session=True,
        )


def stop(process: subprocess.Popen[bytes], polite: signal.Signals, last: signal.Signals) -> None:
    """End `process` with the `polite` signal, after 20 s with the `last` one."""
    if process.poll() is not None:
        return
    process.send_signal(polite)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.send_signal(last)
        process.wait(20)


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of `log`, indented for an error message."""
    text = log.read_text(errors="replace") if log.exists() else ""
    return "\n".join(f"  {line}" for line in text.splitlines()[-lines:]) or "  (its log is empty)"


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False, cwd="/").returncode == 0
