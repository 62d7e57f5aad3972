"""When an entry passed the controls a penalty is about: by its trackers, by people, or not at all."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.penalties.domain.telling import Teller
from apps.scoring.inputs import milliseconds
from apps.scoring.penalty_evidence import Evidence
from apps.timing.models import EntryCrossing, TimingRecord

# Of more controls than these only the first passage of each is told.
IN_FULL = 4


@dataclass(frozen=True, slots=True)
class Passage:
    """One line; without a time the control was not passed."""

    control: str
    time: str = ""
    what: str = ""
    source: str = ""
    note: str = ""


def passages(found: Evidence, teller: Teller) -> Iterator[Passage]:
    """The passages of each control of the scene, in its order."""
    most = None if len(found.scene.controls) <= IN_FULL else 1
    for control in found.scene.controls:
        name = found.around.names.get(control, _("a control that is no more"))
        lines = sorted(_of(control, name, (found, teller)), key=lambda line: line[0])
        yield from [line for _, line in lines][:most] or [Passage(name, note=_("not passed"))]


def _of(control: str, name: str, told: tuple[Evidence, Teller]) -> Iterator[tuple[int, Passage]]:
    found, teller = told
    codes = {tracker.imei: tracker.code for tracker in found.trackers}
    for crossing in found.crossings:
        if str(crossing.control) == control:
            yield crossing.ts, _crossed(name, crossing, (teller, codes.get(crossing.device)))
    for record in found.records:
        if str(record.control) == control:
            yield milliseconds(record.ts), _recorded(name, record, teller)


def _crossed(name: str, crossing: EntryCrossing, told: tuple[Teller, int | None]) -> Passage:
    teller, code = told
    source = "GPS" if code is None else _("GPS, tracker %(number)d") % {"number": code + 1}
    return Passage(
        control=name,
        time=teller.at(crossing.ts),
        what=str(crossing.get_direction_display()),
        source=source,
        note=f"±{crossing.uncertainty_ms / 1000:.10g} s",
    )


def _recorded(name: str, record: TimingRecord, teller: Teller) -> Passage:
    status = str(record.get_status_display())
    return Passage(
        control=name,
        time=teller.at(milliseconds(record.ts)),
        what=_("recorded"),
        source=str(record.get_source_display()),
        note=f"{status}: {record.reason}" if record.reason else status,
    )
