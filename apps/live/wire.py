"""WebSocket frames made once for all sockets. Pure.

What a server sends is not masked and, where no context is kept between messages, compressed the same for everybody:
so the very bytes can be shared, and a socket costs a write instead of an encoding.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

PAYS_FROM = 512  # bytes; below it compressing costs the reader more than it saves the line
WINDOW_BITS = 12  # what the extension is agreed on with (apps/live/wire_protocol.py)
TEXT, COMPRESSED_TEXT = 0x81, 0xC1  # final frames; RSV1 says compressed (RFC 7692, 7.2)
TAIL = b"\x00\x00\xff\xff"


@dataclass(frozen=True, slots=True)
class Wire:
    """A text message as bytes on the wire; `packed` for sockets that agreed on compression, where it pays."""

    plain: bytes
    packed: bytes | None


def wire(text: bytes) -> Wire:
    return Wire(_framed(TEXT, text), _framed(COMPRESSED_TEXT, _deflated(text)) if len(text) >= PAYS_FROM else None)


def joined(wires: Sequence[Wire]) -> Wire:
    """Several messages to be written at once: what a socket costs is the write."""
    plain = b"".join(of.plain for of in wires)
    packed = b"".join(of.packed or of.plain for of in wires) if any(of.packed for of in wires) else None
    return Wire(plain, packed)


def _framed(first: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    if size < 65_536:
        return struct.pack("!BBH", first, 126, size) + payload
    return struct.pack("!BBQ", first, 127, size) + payload


def _deflated(text: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-WINDOW_BITS)
    return (packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL)
