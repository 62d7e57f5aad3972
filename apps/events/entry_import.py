"""Entries with vehicle, crew and trackers from a file and to a file, by race number."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from django.db import DatabaseError, transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.policy import require
from apps.catalog.models import OrganizationVehicle, Vehicle
from apps.common.audit import because
from apps.common.bulk import UNWRITTEN, Cells, Change, Preview, Refused, compare, parse, update
from apps.common.sheets import Problem, Sheet
from apps.events.entry_columns import KEY, VEHICLE, cells_of, columns, entries_of
from apps.events.entry_crews import Crews, seats, settled, write_links
from apps.events.entry_trackers import Trackers
from apps.events.models import Entry, Event, RaceClass

FIELDS = ("race_class", "status", "competing", "team", "vehicle")


@dataclass(frozen=True, slots=True)
class EntryImport:
    """An import into an event by `user`; None for the operator, at the command line."""

    event: Event
    user: User | None

    def check(self) -> None:
        """Raises PermissionDenied."""
        if self.user is not None:
            require(self.user, "import", self.event)

    def preview(self, sheet: Sheet) -> Preview:
        """What the file would change, and every reason why it cannot; writes nothing, in a fixed number of queries."""
        return self._plan(sheet).preview

    def run(self, sheet: Sheet, reason: str) -> Preview:
        """Write it, all of it or nothing. Raises Refused."""
        try:
            with because(reason), transaction.atomic():
                Event.objects.select_for_update().get(pk=self.event.pk)
                plan = self._plan(sheet)
                if plan.preview.problems:
                    raise Refused(plan.preview.problems)
                plan.write()
                return plan.preview
        except DatabaseError as error:
            raise Refused([Problem(0, "", str(UNWRITTEN))]) from error

    def _plan(self, sheet: Sheet) -> "_Plan":
        self.check()
        parsed = parse(sheet, columns(self.event), KEY)
        entries = {str(entry.race_number): entry for entry in entries_of(self.event)}
        current = {number: cells_of(entry) for number, entry in entries.items()}
        changes = compare(parsed.rows, current, KEY)
        changes = tuple(replace(change, cells=settled(change.cells, change.before)) for change in changes)
        plan = _Plan(self.event, Crews(self.event, self.user), Trackers(self.event, self.user), entries)
        plan.make(changes)
        problems = [*parsed.problems, *plan.problems]
        plan.preview = Preview(changes, tuple(sorted(problems, key=lambda problem: problem.row)))
        return plan


@dataclass(slots=True)
class _Plan:
    """The rows to write, made before anything is written, so that everything that is wrong is said at once."""

    event: Event
    crews: Crews
    trackers: Trackers
    existing: Mapping[str, Entry]
    preview: Preview = field(default_factory=Preview)
    problems: list[Problem] = field(default_factory=list)
    fresh: list[Entry] = field(default_factory=list)
    changed: list[Entry] = field(default_factory=list)
    vehicles: list[Vehicle] = field(default_factory=list)
    edited_vehicles: list[Vehicle] = field(default_factory=list)
    members: dict[Entry, list[tuple[User, str]]] = field(default_factory=dict)

    def make(self, changes: tuple[Change, ...]) -> None:
        writes = [change for change in changes if change.kind != "same"]
        self.crews.look_up(writes)
        self.trackers.look_up(writes)
        classes = {row.code: row for row in RaceClass.objects.filter(event=self.event)}
        shared = self._shared_vehicles()
        for change in writes:
            self._make(change, classes, shared)
        self.trackers.check_free()
        self.problems += [*self.crews.problems, *self.trackers.problems]

    def _make(self, change: Change, classes: Mapping[str, RaceClass], shared: frozenset[object]) -> None:
        existing = self.existing.get(change.key)
        entry = existing or Entry(event=self.event, race_number=int(change.key))
        (self.changed if existing else self.fresh).append(entry)
        _fill(entry, change.cells, classes)
        if change.touches("vehicle_"):
            self._vehicle(change, entry, shared)
        if change.touches("crew_") and seats(change.cells):
            self.members[entry] = self.crews.members(change, existing)
        if change.touches("device_"):
            self.trackers.plan(change, entry, existing)

    def _shared_vehicles(self) -> frozenset[object]:
        """Vehicles of the event's entries that other entries have too: those are not edited, but replaced."""
        mine = Vehicle.objects.filter(entries__event=self.event).values("pk")
        rows = Vehicle.objects.filter(pk__in=mine).annotate(uses=Count("entries")).filter(uses__gt=1)
        return frozenset(rows.values_list("pk", flat=True))

    def _vehicle(self, change: Change, entry: Entry, shared: frozenset[object]) -> None:
        told = {name: change.cells.get(f"vehicle_{name}", _shown(entry.vehicle, name)) for name in VEHICLE}
        if not any(told.values()):
            entry.vehicle = None
            return
        missing = [name for name in ("make", "model") if not told[name]]
        self.problems += [Problem(change.row, f"vehicle_{name}", _("a vehicle needs it")) for name in missing]
        if entry.vehicle is None or entry.vehicle_id in shared:
            entry.vehicle = Vehicle()
            self.vehicles.append(entry.vehicle)
        else:
            self.edited_vehicles.append(entry.vehicle)
        for name, value in told.items():
            setattr(entry.vehicle, name, (int(value) if value else None) if name in ("year", "cc") else value)

    def write(self) -> None:
        self.crews.write()
        Vehicle.objects.bulk_create(self.vehicles)
        update(self.edited_vehicles, VEHICLE)
        organization = self.event.organization
        OrganizationVehicle.objects.bulk_create(
            OrganizationVehicle(organization=organization, vehicle=vehicle) for vehicle in self.vehicles
        )
        Entry.objects.bulk_create(self.fresh)
        update(self.changed, FIELDS)
        write_links(self.members)
        self.trackers.write()


def exported(event: Event) -> list[Cells]:
    """The event's entries as rows of a file, by number."""
    return [cells_of(entry) for entry in entries_of(event)]


def _fill(entry: Entry, cells: Cells, classes: Mapping[str, RaceClass]) -> None:
    entry.race_class = classes[cells["class"]]
    entry.status = cells.get("status") or entry.status
    entry.competing = cells["competing"] == "yes" if cells.get("competing") else entry.competing
    entry.team = cells.get("team", entry.team)


def _shown(vehicle: Vehicle | None, name: str) -> str:
    value = getattr(vehicle, name, "")
    return "" if value is None else str(value)
