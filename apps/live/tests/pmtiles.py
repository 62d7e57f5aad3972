"""A PMTiles archive of one raster tile, as an organiser would drop it in (format version 3, no compression)."""

import struct
import zlib
from pathlib import Path

NONE, PNG = 1, 2
SIDE = 256


def write(path: Path, colour: tuple[int, int, int]) -> None:
    """The whole world as one tile of one colour, at zoom 0."""
    tile, metadata = _png(colour), b'{"attribution":"Survey of the club"}'
    # One entry: tile id 0, run length 1, its length, and its offset plus one.
    root = bytes([1, 0, 1]) + _varint(len(tile)) + _varint(1)
    offsets = [127, len(root), 127 + len(root), len(metadata)]
    data = offsets[2] + offsets[3]
    header = b"PMTiles\x03" + struct.pack("<8Q", *offsets, data, 0, data, len(tile)) + struct.pack("<3Q", 1, 1, 1)
    header += bytes([1, NONE, NONE, PNG, 0, 0]) + struct.pack(
        "<4i", -1_800_000_000, -850_000_000, 1_800_000_000, 850_000_000
    )
    header += bytes([0]) + struct.pack("<2i", 0, 0)
    path.write_bytes(header + root + metadata + tile)


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def _png(colour: tuple[int, int, int]) -> bytes:
    rows = (b"\0" + bytes(colour) * SIDE) * SIDE
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
