"""The healthchecks of the containers: `probe.py URL` or `probe.py --fresh SECONDS FILE`; exit code 1 when it is ill.

The second is for Celery's beat, which has no port: it writes its schedule's file anew every three minutes.
"""

import sys
import time
import urllib.request
from pathlib import Path

PATIENCE_S = 4


def main(arguments: list[str]) -> str:
    """What is wrong; empty when nothing is."""
    if arguments[0] == "--fresh":
        return _stale(float(arguments[1]), Path(arguments[2]))
    return _silent(arguments[0])


def _silent(url: str) -> str:
    try:
        urllib.request.urlopen(url, timeout=PATIENCE_S).close()
    except OSError as error:  # URLError and HTTPError among them
        return f"{url}: {error}"
    return ""


def _stale(seconds: float, path: Path) -> str:
    """The store may put an ending to the name it is given: .db, .dat and the like."""
    ages = [time.time() - found.stat().st_mtime for found in path.parent.glob(f"{path.name}*")]
    if not ages:
        return f"{path} is not there"
    return f"{path} was last written {min(ages):.0f} s ago" if min(ages) > seconds else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) or 0)  # an empty string would be an error to sys.exit
