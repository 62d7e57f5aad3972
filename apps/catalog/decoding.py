"""`decoded_attributes` of positions by the IO mapping; telemetry gets this by its dotted path in the settings."""

import time
from collections.abc import Callable, Collection, Sequence

import msgspec

from apps.catalog import queries
from apps.catalog.domain.io import Decoder
from apps.common.position import Position

REFRESH_SECONDS = 1.0
MOST_DEVICES = 100_000

# What the encoder says of attributes JSON cannot hold. Their writer meets the same and puts the record aside.
UNWRITABLE = (TypeError, ValueError, OverflowError, RecursionError)


class AttributeDecoder:
    """Decodes batches; for one thread.

    Devices are learnt by one query a batch, unknown ones too, and kept until any device or mapping is written.
    That is seen at most a second later, from the row versions (`queries.VERSIONS`) and not from `updated_at`,
    which `QuerySet.update`, raw SQL and deletions leave as it was. So nothing that is held ever needs to expire.
    """

    def __init__(
        self,
        most_devices: int = MOST_DEVICES,
        refresh_seconds: float = REFRESH_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._refresh_seconds, self._clock = most_devices, refresh_seconds, clock
        self._fresh_until = float("-inf")
        self._versions = ("", "")
        self._decoders: dict[str, Decoder] = {}  # by device model
        self._devices: dict[str, Decoder | None] = {}  # by IMEI; None: unknown, or its model has no mapping

    def __call__(self, positions: Sequence[Position]) -> list[str | None]:
        """The JSON text of each position's decoded attributes; None without a mapping.

        Raises django.db.OperationalError when PostgreSQL is away.
        """
        self._refresh()
        self._learn({position.device_id for position in positions})
        devices = self._devices
        return [_text(devices[position.device_id], position) for position in positions]

    def _refresh(self) -> None:
        if self._clock() < self._fresh_until:
            return
        # The versions before the rows: an edit in between is then seen the next time, never missed.
        versions = queries.versions()
        if versions[0] != self._versions[0]:
            self._decoders = {model: Decoder(elements) for model, elements in queries.elements().items()}
        if versions != self._versions:
            self._devices = {}
        self._versions = versions
        self._fresh_until = self._clock() + self._refresh_seconds

    def _learn(self, imeis: Collection[str]) -> None:
        new = [imei for imei in imeis if imei not in self._devices]
        if len(self._devices) + len(new) > self._most:
            self._devices, new = {}, list(imeis)
        if new:
            models = queries.models_of(new)
            self._devices |= {imei: self._decoders.get(models.get(imei, "")) for imei in new}


def _text(decoder: Decoder | None, position: Position) -> str | None:
    if decoder is None:
        return None
    try:
        return msgspec.json.encode(decoder(position.attributes)).decode()
    except UNWRITABLE:
        return None
