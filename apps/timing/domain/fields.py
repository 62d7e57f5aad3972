"""Settings in JSON read strictly, key by key."""

from collections.abc import Iterable, Mapping
from typing import Any

from apps.common.said import Said, about


class Fields:
    """A JSON object whose keys are taken one by one; what nobody takes is refused.

    Each reader raises `error` naming the key with its path, e.g. "blocks[1].gap_seconds: ...".
    """

    def __init__(self, value: Any, error: type[ValueError], path: str = "") -> None:
        if not isinstance(value, Mapping):
            raise error(about(path.rstrip(".") or Said("settings"), Said("%(given)s is no object", given=repr(value))))
        self._value = value
        self._error = error
        self._path = path
        self._known: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self._known.add(key)
        return self._value.get(key, default)

    def error(self, key: str, reason: Said) -> ValueError:
        """The error to raise about a key."""
        return self._error(about(f"{self._path}{key}", reason))

    def whole(self, key: str, default: int, least: int = 0) -> int:
        return self.check_whole(key, self.get(key, default), least)

    def check_whole(self, key: str, value: Any, least: int = 0) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            text = Said("%(given)s is no whole number from %(least)s on", given=repr(value), least=least)
            raise self.error(key, text)
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self.get(key, default)
        if not isinstance(value, bool):
            raise self.error(key, Said("%(given)s is neither true nor false", given=repr(value)))
        return value

    def word(self, key: str, default: str, words: Iterable[str]) -> str:
        value = self.get(key, default)
        if value not in (known := list(words)):
            raise self.error(key, Said("%(given)s is none of %(known)s", given=repr(value), known=", ".join(known)))
        return str(value)

    def array(self, key: str) -> list[Any]:
        value = self.get(key, [])
        if not isinstance(value, list):
            raise self.error(key, Said("%(given)s is no list", given=repr(value)))
        return value

    def objects(self, key: str) -> list["Fields"]:
        return [Fields(part, self._error, f"{self._path}{key}[{n}].") for n, part in enumerate(self.array(key))]

    def numbers(self, key: str) -> tuple[int, ...]:
        found = tuple(self.check_whole(f"{key}[{n}]", value, 1) for n, value in enumerate(self.array(key)))
        twice = next((number for number in found if found.count(number) > 1), None)
        if twice is not None:
            raise self.error(key, Said("%(given)s is in it twice", given=twice))
        return found

    def refuse_others(self) -> None:
        stray = next((str(key) for key in self._value if key not in self._known), None)
        if stray is not None:
            raise self.error(stray, Said("unknown; known are %(known)s", known=", ".join(sorted(self._known))))
