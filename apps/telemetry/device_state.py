"""What is known of each device: a bounded memory that saves asking PostgreSQL, and that nothing depends on.

A wrong or a missing state costs time, never a record: it only chooses the cheaper statement.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from apps.common.position import EARLIEST, Position
from apps.telemetry import metrics

NEVER = EARLIEST - 1

# The latest stored positions of these devices, by device; those without any are missing.
Load = Callable[[Sequence[str]], Mapping[str, Position]]


@dataclass(slots=True)
class DeviceState:
    """`last` is the position of the latest device time, `last_seen` that time in epoch ms (NEVER: none yet).

    `count` is how many records of the device this process has written since it remembers it, duplicates included.
    """

    last: Position | None = None
    last_seen: int = NEVER
    count: int = 0


class DeviceStates:
    """At most `most` devices, the longest unheard forgotten first; those of the batch at hand are kept meanwhile."""

    def __init__(self, most: int, load: Load) -> None:
        self._most = most
        self._load = load
        self._states: OrderedDict[str, DeviceState] = OrderedDict()

    def __len__(self) -> int:
        return len(self._states)

    def get(self, device: str) -> DeviceState | None:
        """What is known of a device, None when it is not remembered."""
        return self._states.get(device)

    def surely_new(self, positions: Sequence[Position]) -> list[bool]:
        """For each record, whether it is later than all that was written of its device and stands before it here.

        Devices that are not remembered are read from the database, all in one query.
        """
        devices = {position.device_id for position in positions}
        self._recall(devices)
        seen = {device: self._states[device].last_seen for device in devices}
        flags = []
        for position in positions:
            new = position.ts > seen[position.device_id]
            if new:
                seen[position.device_id] = position.ts
            flags.append(new)
        return flags

    def saw(self, positions: Iterable[Position]) -> None:
        """Take note of what was written, in any order; then forget what is too much. Nothing moves `last_seen` back."""
        for position in positions:
            state = self._states[position.device_id]
            state.count += 1
            if position.ts > state.last_seen:
                state.last, state.last_seen = position, position.ts
        while len(self._states) > self._most:
            self._states.popitem(last=False)
            metrics.DEVICE_STATE_EVICTIONS.inc()
        metrics.DEVICE_STATE_SIZE.set(len(self._states))

    def _recall(self, devices: Iterable[str]) -> None:
        unknown = [device for device in devices if device not in self._states]
        stored = self._load(unknown) if unknown else {}
        for device in unknown:
            last = stored.get(device)
            self._states[device] = DeviceState(last, last.ts) if last else DeviceState()
        for device in devices:
            self._states.move_to_end(device)
