"""Parquet files wherever fsspec can write: a directory, memory, or object storage (`s3://` wants s3fs installed).

pyarrow and fsspec are the extra `analytics`: they are loaded here, and only when something is written.
"""

import io
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import redis

from apps.analytics.columns import Column

Row = Sequence[Any]
TYPES = {"text": "string", "int": "int64", "real": "float64", "bool": "bool_"}


class MissingExtraError(Exception):
    """pyarrow or fsspec is not installed."""


def library(name: str) -> Any:
    """Raises MissingExtraError."""
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingExtraError(f"{error.name} is not installed: pip install 'trm[analytics]'") from error


def schema(of: Sequence[Column]) -> Any:
    """The Arrow schema; each field carries its description."""
    arrow = library("pyarrow")
    kinds = {name: getattr(arrow, kind)() for name, kind in TYPES.items()} | {
        "instant": arrow.timestamp("ms", tz="UTC")
    }
    return arrow.schema([arrow.field(c.name, kinds[c.type], metadata={"description": c.description}) for c in of])


def parquet(rows: Sequence[Row], of: Sequence[Column]) -> bytes:
    """Rows as a Parquet file: the same rows give the same bytes."""
    arrow, target = library("pyarrow"), io.BytesIO()
    names = [column.name for column in of]
    arrays = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in of]
    table = arrow.table(dict(zip(names, arrays, strict=True)), schema=schema(of))
    library("pyarrow.parquet").write_table(table, target, compression="zstd", row_group_size=100_000)
    return target.getvalue()


class Folder:
    """A place in a file system of fsspec. A file is there whole or not at all.

    Raises MissingExtraError for a protocol whose library is missing, ValueError for an unknown one.
    """

    def __init__(self, url: str) -> None:
        core = library("fsspec.core")
        try:
            self._fs, self._root = core.url_to_fs(url)
        except ImportError as error:
            raise MissingExtraError(str(error)) from error
        self._root = self._root.rstrip("/")

    def put(self, name: str, content: bytes) -> None:
        """Write a file, over one of the same name."""
        path = self._path(name)
        folder, _, last = path.rpartition("/")
        if self._is_local():  # a directory shows a file while it is written, an object store does not
            self._fs.makedirs(folder, exist_ok=True)
            hidden = f"{folder}/.{last}.part"
            self._fs.pipe_file(hidden, content)
            self._fs.mv(hidden, path)
        else:
            self._fs.pipe_file(path, content)

    def get(self, name: str) -> bytes:
        content: bytes = self._fs.cat_file(self._path(name))
        return content

    def has(self, name: str) -> bool:
        return bool(self._fs.exists(self._path(name)))

    def remove(self, name: str) -> None:
        if self.has(name):
            self._fs.rm_file(self._path(name))

    def names(self, folder: str) -> list[str]:
        """The files of a folder, in order; none where there is no such folder."""
        self._fs.invalidate_cache()
        if not self.has(folder):
            return []
        found = (str(path).rpartition("/")[2] for path in self._fs.ls(self._path(folder), detail=False))
        return sorted(f"{folder}/{name}" for name in found if not name.startswith("."))

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _is_local(self) -> bool:
        protocol = self._fs.protocol
        return "file" in ((protocol,) if isinstance(protocol, str) else protocol)


# What a store that does not answer looks like to the loop of a command (apps/common/loop.py): it waits, and goes on.
class StoreAwayError(redis.ConnectionError):
    """The store does not answer now."""
