"""The files of the deployment, read once for the tests that hold them to the code."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
GIVEN = {"POSTGRES_PASSWORD": "p" * 20, "SECRET_KEY": "0123456789abcdefghij" * 4, "DOMAIN": "trm.example.org"}
VARIABLE = re.compile(r"\$\{(\w+)(?::[?-]([^}]*))?\}")


@cache
def compose() -> dict[str, Any]:
    """docker-compose.yml, with its variables filled in."""
    text = VARIABLE.sub(lambda found: GIVEN.get(found[1], found[2] or ""), (ROOT / "docker-compose.yml").read_text())
    read: dict[str, Any] = yaml.safe_load(text)
    return read


def services() -> dict[str, dict[str, Any]]:
    read: dict[str, dict[str, Any]] = compose()["services"]
    return read


def ours() -> dict[str, dict[str, Any]]:
    """The services that run TRM's own image."""
    return {name: service for name, service in services().items() if "build" in service}
