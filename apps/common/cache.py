"""The smallest cache that cannot serve a stale value: each key holds its latest version only."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

V = TypeVar("V")


class Latest(Generic[V]):
    """Holds one value a key, with the version it was made of; the least used key goes first."""

    def __init__(self, most: int = 16) -> None:
        self._most = most
        self._held: OrderedDict[str, tuple[str, V]] = OrderedDict()

    def get(self, key: str, version: str, make: Callable[[], V]) -> V:
        held = self._held.get(key)
        value = held[1] if held and held[0] == version else make()
        self._held[key] = (version, value)
        self._held.move_to_end(key)
        while len(self._held) > self._most:
            self._held.popitem(last=False)
        return value
