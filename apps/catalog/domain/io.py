"""What a tracker's IO elements mean: raw values by IO id to named values in people's units.

On the way of every position, so a model's mapping is compiled once to one function an IO id.
"""

import base64
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any


class ValueType(StrEnum):
    """How the raw value of an IO element is read, before scale and offset."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    SIGNED8 = "signed8"
    SIGNED16 = "signed16"
    SIGNED32 = "signed32"
    SIGNED64 = "signed64"
    IDENTIFIER = "identifier"  # digits, not a quantity: kept as text, which no reader rounds
    TEXT = "text"
    HEX = "hex"


# The types that have a scale and an offset.
SCALED = frozenset((ValueType.NUMBER, ValueType.SIGNED8, ValueType.SIGNED16, ValueType.SIGNED32, ValueType.SIGNED64))

Convert = Callable[[Any], Any]

# A float beyond this could become infinite when scaled, which JSON cannot say.
FLOAT_LIMIT = 1e200

# The errors of a value that is not what the mapping says.
UNLIKE = (TypeError, ValueError, KeyError, OverflowError)


@dataclass(frozen=True, slots=True)
class Element:
    """One IO id of a device model: value = raw * scale + offset, under the key `kind` or else the name's slug."""

    io_id: str
    name: str
    kind: str = ""
    value_type: str = ValueType.NUMBER
    scale: float = 1.0
    offset: float = 0.0

    @property
    def key(self) -> str:
        return self.kind or slug(self.name) or self.io_id


def slug(name: str) -> str:
    """A name as a key: "External Voltage" is external_voltage."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


class Decoder:
    """The mapping of one device model, compiled."""

    __slots__ = ("_rules",)

    def __init__(self, elements: Iterable[Element]) -> None:
        self._rules: dict[str, tuple[str, Convert]] = {}
        taken: set[str] = set()
        for element in sorted(elements, key=lambda e: (len(e.io_id), e.io_id)):
            # Of two elements with one key the second keeps its id: neither hides the other.
            key = element.io_id if element.key in taken else element.key
            taken.add(key)
            self._rules[element.io_id] = (key, converter(element))

    def __call__(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """The values by key. What is unknown, or not what the mapping says, stays under its id as it was."""
        decoded = {}
        rules = self._rules
        try:
            for io_id, raw in attributes.items():
                if io_id in rules:
                    key, convert = rules[io_id]
                    decoded[key] = convert(raw)
                else:
                    decoded[io_id] = raw
        except UNLIKE:
            return dict(self._decoded(io_id, raw) for io_id, raw in attributes.items())
        return decoded

    def _decoded(self, io_id: str, raw: Any) -> tuple[str, Any]:
        key, convert = self._rules.get(io_id, (io_id, _same))
        try:
            return key, convert(raw)
        except UNLIKE:
            return io_id, raw


def converter(element: Element) -> Convert:
    """The function from a raw value to its value; it raises one of UNLIKE for a value of another sort."""
    match ValueType(element.value_type):
        case ValueType.BOOLEAN:
            return {0: False, 1: True}.__getitem__
        case ValueType.IDENTIFIER:
            return _identifier
        case ValueType.TEXT:
            return _text
        case ValueType.HEX:
            return _hex
        case ValueType.NUMBER:
            return scaled(element.scale, element.offset, _integer)
        case signed:
            return scaled(element.scale, element.offset, _signed(int(signed.removeprefix("signed"))))


def scaled(scale: float, offset: float, read: Convert) -> Convert:
    """raw * scale + offset, in whole numbers up to one division: 12910 at 0.001 is 12.91, not 12.910000000000002."""
    factors = Decimal(repr(scale)), Decimal(repr(offset))
    places = max(0, *(-int(f.normalize().as_tuple().exponent) for f in factors))
    units = 10**places
    multiply, add = (int(f * units) for f in factors)
    if (multiply, add, units) == (1, 0, 1):
        return read
    if units == 1:
        return lambda raw: read(raw) * multiply + add
    if (multiply, add) == (1, 0) and read is _integer:
        # Voltages and distances, so half of all values: not a second call for each.
        return lambda raw: (raw if type(raw) is int else _integer(raw)) / units
    return lambda raw: (read(raw) * multiply + add) / units


def _integer(raw: Any) -> Any:
    """A number as it is, a bigint from its decimal string."""
    if type(raw) is int:
        return raw
    if type(raw) is float and abs(raw) < FLOAT_LIMIT:
        return raw
    return int(_digits(raw))


def _signed(bits: int) -> Convert:
    """Two's complement of this width; a value that is negative already stays so."""
    half, whole = 1 << (bits - 1), 1 << bits

    def read(raw: Any) -> int:
        value = raw if type(raw) is int else int(_digits(raw))
        if not -half <= value < whole:
            raise ValueError(f"{value} has more than {bits} bits")
        return value - whole if value >= half else value

    return read


def _digits(raw: Any) -> str:
    if type(raw) is str and re.fullmatch(r"-?[0-9]{1,20}", raw):
        return raw
    raise TypeError(f"{raw!r} is no integer")


def _identifier(raw: Any) -> str:
    return str(raw) if type(raw) is int else _digits(raw)


def _text(raw: Any) -> str:
    text = base64.b64decode(raw, validate=True).rstrip(b"\0").decode()
    if not text.isprintable():
        raise ValueError(f"{text!r} is not printable")
    return text


def _hex(raw: Any) -> str:
    return base64.b64decode(raw, validate=True).hex()


def _same(raw: Any) -> Any:
    return raw
