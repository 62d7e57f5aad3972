"""A PMTiles archive of one tile, as an organiser would drop it in (format version 3, no compression)."""

import struct
import zlib
from pathlib import Path

NONE, MVT, PNG = 1, 1, 2
SIDE = 256


def write_raster(path: Path, colour: tuple[int, int, int]) -> None:
    """The whole world as one tile of one colour, at zoom 0."""
    _write(path, PNG, _png(colour), b'{"attribution":"Survey of the club"}')


def write_vector(path: Path) -> None:
    """A town called Tirana east of where it is, water to its west and a road through it, in the schema of Protomaps."""
    layers = b"".join((
        _layer("water", 3, [9, *_at(2000, 0), 26, *_pairs((270, 0), (0, 4000), (-270, 0)), 15], {}),
        _layer("roads", 2, [9, *_at(2200, 1500), 10, *_pairs((200, 100))], {}),
        _layer("places", 1, [9, *_at(2288, 1527)], {"name": "Tirana"}),
    ))  # fmt: skip
    known = ",".join(f'{{"id":"{name}","fields":{{}}}}' for name in ("water", "roads", "places"))
    _write(path, MVT, layers, f'{{"vector_layers":[{known}]}}'.encode())


def _write(path: Path, kind: int, tile: bytes, metadata: bytes) -> None:
    # One entry: tile id 0, run length 1, its length, and its offset plus one.
    root = bytes([1, 0, 1]) + _varint(len(tile)) + _varint(1)
    offsets = [127, len(root), 127 + len(root), len(metadata)]
    data = offsets[2] + offsets[3]
    header = b"PMTiles\x03" + struct.pack("<8Q", *offsets, data, 0, data, len(tile)) + struct.pack("<3Q", 1, 1, 1)
    header += bytes([1, NONE, NONE, kind, 0, 0])
    header += struct.pack("<4i", -1_800_000_000, -850_000_000, 1_800_000_000, 850_000_000)
    header += bytes([0]) + struct.pack("<2i", 0, 0)
    path.write_bytes(header + root + metadata + tile)


def _layer(name: str, kind: int, geometry: list[int], tags: dict[str, str]) -> bytes:
    """One layer with one feature (Mapbox Vector Tile 2): numbers of fields as its specification has them."""
    packed = b"".join(map(_varint, geometry))
    feature = b"\x18" + bytes([kind]) + _field(4, packed)
    if tags:
        feature = _field(2, bytes([0, 0])) + feature
    found = _field(1, name.encode()) + _field(2, feature)
    for key, value in tags.items():
        found += _field(3, key.encode()) + _field(4, _field(1, value.encode()))
    return _field(3, found + b"\x28" + _varint(4096) + b"\x78\x02")


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _at(x: int, y: int) -> list[int]:
    return _pairs((x, y))


def _pairs(*steps: tuple[int, int]) -> list[int]:
    """Steps in zigzag, so that small negative numbers stay small."""
    return [value << 1 if value >= 0 else (-value << 1) - 1 for step in steps for value in step]


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
