"""Typed reading of environment variables that collects every fault before it stops the start."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured


class Environment:
    """Reads settings one by one; `finish()` raises `ImproperlyConfigured` naming all that were wrong."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._faults: list[str] = []

    def text(self, name: str, *, default: str) -> str:
        value = self._variables.get(name, default).strip()
        if default and not value:
            self._faults.append(f"{name} is empty: leave it out for its default, {default}")
        return value or default

    def dotted_path(self, name: str, *, default: str) -> str:
        """Where something lies, e.g. package.module.Class; empty = nothing."""
        value = self._variables.get(name, default).strip()
        if value and not ("." in value and all(part.isidentifier() for part in value.split("."))):
            self._faults.append(f"{name}={value!r}: a dotted path like package.module.Class, or nothing, is needed")
        return value

    def words(self, name: str, *, default: str) -> list[str]:
        return [word.strip() for word in self.text(name, default=default).split(",") if word.strip()]

    def integer(self, name: str, *, default: int, low: int, high: int) -> int:
        value = self.text(name, default=str(default))
        if value.removeprefix("-").isdecimal() and low <= int(value) <= high:
            return int(value)
        self._faults.append(f"{name}={value!r}: a whole number from {low} to {high} is needed")
        return default

    def boolean(self, name: str, *, default: bool) -> bool:
        value = self.text(name, default=str(default)).lower()
        if value in ("1", "true", "yes", "on"):
            return True
        if value not in ("0", "false", "no", "off"):
            self._faults.append(f"{name}={value!r}: true or false is needed")
        return False

    def choice(self, name: str, allowed: Sequence[str], *, default: str) -> str:
        value = self.text(name, default=default).upper()
        if value in allowed:
            return value
        self._faults.append(f"{name}={value!r}: one of {', '.join(allowed)} is needed")
        return default

    def url(self, name: str, schemes: Sequence[str], *, default: str) -> str:
        value = self.text(name, default=default)
        if not value or _is_url(value, schemes):
            return value
        # A URL may hold a password: name the scheme, not the value.
        beginnings = " or ".join(f"{scheme}://" for scheme in schemes)
        self._faults.append(f"{name}: a URL beginning with {beginnings} is needed, with a number as its port")
        return default

    def database(self, url: str, *, pool: bool) -> dict[str, Any]:
        """Django's database dictionary for `url`; an empty URL gives one that refuses the first query."""
        if not url:
            return {"ENGINE": "django.db.backends.dummy"}
        settings: dict[str, Any] = {**environ.Env.db_url_config(url)}
        settings["CONN_HEALTH_CHECKS"] = not pool
        # Under ASGI each request may run on another thread: a pool, since CONN_MAX_AGE would leak.
        settings["CONN_MAX_AGE"] = 0 if pool else None
        if pool:
            settings.setdefault("OPTIONS", {})["pool"] = {"min_size": 1, "max_size": 16, "timeout": 10}
        return settings

    def finish(self) -> None:
        if self._faults:
            raise ImproperlyConfigured("Wrong settings:\n  " + "\n  ".join(self._faults))


def _is_url(value: str, schemes: Sequence[str]) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in schemes and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
