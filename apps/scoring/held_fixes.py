"""The fixes that detection has read, kept for the speed zones: a field that is scored again reads each fix once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from apps.course.domain.fixes import Fixes
from apps.scoring.fix_queries import Span, span_fixes
from apps.scoring.queries import Unit

AT_MOST = 5_000_000  # fixes, of 36 bytes each; beyond them the zones read again what they need


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """What one reading gave: the units of each device with their numbers, the fixes of all, where each unit's begin."""

    units: dict[str, list[tuple[int, Unit]]]
    fixes: Fixes
    first: NDArray[np.int64]

    @classmethod
    def of(cls, units: Sequence[Unit], fixes: Fixes) -> "_Part":
        by_device: dict[str, list[tuple[int, Unit]]] = {}
        for number, unit in enumerate(units):
            by_device.setdefault(unit.device, []).append((number, unit))
        return cls(by_device, fixes, np.searchsorted(fixes.device, np.arange(len(units) + 1)))

    def span(self, span: Span) -> Fixes | None:
        """The fixes of a span that lies within one unit; None when no unit holds the whole of it."""
        code, device, low, high = span
        for number, unit in self.units.get(device, ()):
            if unit.from_ts <= low and high <= unit.to_ts:
                found = self.fixes.stretch(int(self.first[number]), int(self.first[number + 1]), (low, high))
                return replace(found, device=np.full(len(found), code, np.int32))
        return None


@dataclass(slots=True)
class HeldFixes:
    """Fixes by the windows they were read in. To be asked in the transaction, and under the locks, of the reading."""

    _read: list[tuple[Sequence[Unit], Fixes]] = field(default_factory=list)

    def keep(self, units: Sequence[Unit], fixes: Fixes) -> None:
        """Keep what these units were found to hold; the device code of a fix is the index of its unit."""
        if sum(len(held) for _, held in self._read) + len(fixes) <= AT_MOST:
            self._read.append((units, fixes))

    def spans(self, spans: Sequence[Span]) -> Fixes:
        """As `fix_queries.span_fixes`; what is not held whole is asked of the database."""
        parts = [_Part.of(units, fixes) for units, fixes in self._read]
        held = [(span, _first(parts, span)) for span in spans]
        found = [fixes for _, fixes in held if fixes is not None]
        unknown = [span for span, fixes in held if fixes is None]
        if unknown or not found:
            found.append(span_fixes(unknown))
        return Fixes.joined(found)


def _first(parts: Iterable[_Part], span: Span) -> Fixes | None:
    found = (part.span(span) for part in parts)
    return next((fixes for fixes in found if fixes is not None), None)
