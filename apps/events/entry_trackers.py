"""The trackers of an import: which an entry is to carry, and whether it can."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.policy import visible
from apps.catalog.models import Device
from apps.common.bulk import Cells, Change, update
from apps.common.sheets import Problem
from apps.events.entry_columns import DEVICES, carried
from apps.events.models import Entry, EntryDevice, Event

BEFORE = timedelta(days=1)  # trackers are given out the day before


def imeis(cells: Cells) -> dict[str, str]:
    """Column → IMEI, best first, of the columns that are filled."""
    return {name: cells[name] for place in DEVICES if cells.get(name := f"device_{place}")}


@dataclass(slots=True)
class Trackers:
    """Trackers by IMEI as the importing user may see them, and what is assigned already."""

    event: Event
    user: User | None
    known: dict[str, Device] = field(default_factory=dict)
    gone: list[EntryDevice] = field(default_factory=list)
    moved: list[EntryDevice] = field(default_factory=list)
    fresh: list[tuple[int, str, EntryDevice]] = field(default_factory=list)  # row and column it comes from
    problems: list[Problem] = field(default_factory=list)

    def look_up(self, changes: Iterable[Change]) -> None:
        rows = Device.objects.filter(imei__in={imei for c in changes for imei in imeis(c.cells).values()})
        seen = rows if self.user is None else visible(self.user, rows)
        self.known = {device.imei: device for device in seen}

    def plan(self, change: Change, entry: Entry, existing: Entry | None) -> None:
        """What the row changes in what the entry carries."""
        wanted = imeis(change.cells)
        held = {link.device.imei: link for link in carried(existing)} if existing else {}
        self.problems += _twice(change, wanted)
        for priority, (column, imei) in enumerate(wanted.items(), start=1):
            if imei not in self.known:
                reason = _("no tracker %(imei)s is registered in your organization: import trackers first") % {
                    "imei": imei
                }
                self.problems.append(Problem(change.row, column, reason))
            elif imei not in held:
                self.fresh.append((change.row, column, self._link(entry, imei, priority)))
            elif held[imei].priority != priority:
                held[imei].priority = priority
                self.moved.append(held[imei])
        for imei in held.keys() - set(wanted.values()):
            self._take_away(change, held[imei])

    def _link(self, entry: Entry, imei: str, priority: int) -> EntryDevice:
        begin, end = self._period()
        return EntryDevice(
            entry=entry, device=self.known[imei], priority=priority, assigned_from=begin, assigned_until=end
        )

    def _period(self) -> tuple[datetime, datetime]:
        return self.event.starts_at - BEFORE, self.event.ends_at

    def _take_away(self, change: Change, link: EntryDevice) -> None:
        """Before the event: afterwards what the tracker has sent would belong to nobody."""
        if timezone.now() < self.event.starts_at:
            self.gone.append(link)
            return
        reason = _("the event has begun: end the assignment of %(imei)s in the form of the entry instead")
        self.problems.append(Problem(change.row, "device_1", reason % {"imei": link.device.imei}))

    def check_free(self) -> None:
        """No tracker may be with two entries at a time; in one query."""
        begin, end = self._period()
        wanted = {link.device_id: (row, column) for row, column, link in self.fresh}
        others = EntryDevice.objects.filter(device__in=wanted, assigned_from__lt=end).exclude(
            pk__in=[link.pk for link in self.gone]
        )
        for other in others.select_related("device", "entry__event"):
            if other.assigned_until is None or other.assigned_until > begin:
                row, column = wanted[other.device_id]
                told = {"imei": other.device.imei, "entry": other.entry, "event": other.entry.event}
                reason = _("%(imei)s is with number %(entry)s of %(event)s in that time") % told
                self.problems.append(Problem(row, column, reason))
        self.problems += self._shared()

    def _shared(self) -> Iterator[Problem]:
        first: dict[str, int] = {}
        for row, column, link in self.fresh:
            imei = link.device.imei
            if imei in first and first[imei] != row:
                yield Problem(
                    row, column, _("%(value)s stands in row %(row)d already") % {"value": imei, "row": first[imei]}
                )
            first.setdefault(imei, row)

    def write(self) -> None:
        EntryDevice.objects.filter(pk__in=[link.pk for link in self.gone]).delete()
        update(self.moved, ["priority"])
        EntryDevice.objects.bulk_create([link for _row, _column, link in self.fresh])


def _twice(change: Change, wanted: Mapping[str, str]) -> Iterator[Problem]:
    if len(set(wanted.values())) < len(wanted):
        yield Problem(change.row, "device_1", _("one tracker stands in two columns"))
