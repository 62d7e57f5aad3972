"""The crews of an import: who each seat of a row is, found, made or refused."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from django.contrib.auth.hashers import make_password
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.policy import may, visible
from apps.common.bulk import Cells, Change, update
from apps.common.sheets import Problem
from apps.events.entry_columns import NOWHERE, PERSON, SEATS
from apps.events.models import CrewRole, Entry, EntryCrew, Event

PERSONAL = ("first_name", "last_name", "nationality", "birth_date")


@dataclass(frozen=True, slots=True)
class Seat:
    """A member as a row says: `cells` by the names of PERSON, without those the file has no column for."""

    number: int
    cells: Cells

    @property
    def is_taken(self) -> bool:
        return any(self.cells.get(name) for name in ("first_name", "last_name", "email"))

    @property
    def says_nothing(self) -> bool:
        """Nobody is named, and the file could not have named anybody: whoever is in the seat stays."""
        return not self.is_taken and not {"first_name", "last_name"} <= self.cells.keys()

    def column(self, name: str) -> str:
        return f"crew_{self.number}_{name}"


def seats(cells: Cells) -> list[Seat]:
    """The seats the file has columns for."""
    found = []
    for number in SEATS:
        told = {name: cells[f"crew_{number}_{name}"] for name in PERSON if f"crew_{number}_{name}" in cells}
        found += [Seat(number, told)] if told else []
    return found


def settled(cells: Cells, before: Cells | None) -> Cells:
    """The row with what an empty cell leaves as it is: what is known of a person who stays in the seat."""
    filled = dict(cells)
    for seat in seats(cells):
        if not seat.is_taken and not seat.says_nothing:
            filled |= {seat.column("role"): ""} if "role" in seat.cells else {}  # of nobody
        stays = seat.says_nothing or (seat.is_taken and before is not None and _stays(seat, before))
        if before is None or not stays:
            continue
        filled |= {seat.column(n): before.get(seat.column(n), "") for n, value in seat.cells.items() if not value}
    return filled


def _stays(seat: Seat, before: Cells) -> bool:
    email = seat.cells.get("email", "")
    if email:
        return email == before.get(seat.column("email"))
    names = ("first_name", "last_name")
    return all(seat.cells.get(n, "") in ("", before.get(seat.column(n), "")) for n in names)


@dataclass(slots=True)
class Crews:
    """People by e-mail, as the importing user may see them, and what the import makes and changes."""

    event: Event
    user: User | None
    known: dict[str, User] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    fresh: dict[str, User] = field(default_factory=dict)
    changed: dict[str, User] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def look_up(self, changes: Iterable[Change]) -> None:
        """Find everybody named by an address, in two queries."""
        taken = [(change, seat) for change in changes for seat in seats(change.cells) if seat.is_taken]
        emails = {seat.cells.get("email") or self._nowhere(change, seat) for change, seat in taken}
        rows = User.objects.annotate(address=Lower("email")).filter(address__in=emails)
        self.known = {user.email.lower(): user for user in rows}
        seen = self.known if self.user is None else {u.email.lower() for u in visible(self.user, rows)}
        self.hidden = frozenset(e for e in self.known.keys() - set(seen) if not e.endswith(NOWHERE))

    def members(self, change: Change, entry: Entry | None) -> list[tuple[User, str]]:
        """The crew a row asks for: each with the role; what cannot be goes to `problems`."""
        held = list(entry.crew_links.all()) if entry else []
        told = {seat.number: seat for seat in seats(change.cells)}
        found: list[tuple[User, str]] = []
        for number in range(1, max([*told, len(held)]) + 1):
            link, seat = held[number - 1] if number <= len(held) else None, told.get(number)
            if link is not None and seat is None:
                found.append((link.user, link.role))  # the file has no columns for this seat
            elif seat is not None and (seat.is_taken or (seat.says_nothing and link is not None)):
                person = self._person(change, seat, link)
                found.append((person, seat.cells.get("role") or (link.role if link else CrewRole.PILOT)))
            elif seat is not None and (seat.cells.get("nationality") or seat.cells.get("birth_date")):
                self.problems.append(Problem(change.row, seat.column("first_name"), _("say who this is")))
        self.problems += _twice(change, [person for person, _role in found])
        return found

    def _person(self, change: Change, seat: Seat, link: EntryCrew | None) -> User:
        email = seat.cells.get("email") or self._address(change, seat, link)
        if email in self.hidden:
            reason = _("the account with this address belongs to another organization: ask the person to join yours")
            self.problems.append(Problem(change.row, seat.column("email"), reason))
        known = self.known.get(email) or self.fresh.get(email)
        if known is None and link is not None and link.user.email.lower() == email:
            known = link.user
        if known is None:
            known = self.fresh[email] = User(email=email, password=make_password(None))
            self._name(known, seat.cells)
        elif self._differs(known, seat.cells):
            self._change(change, seat, known)
        return known

    def _address(self, change: Change, seat: Seat, link: EntryCrew | None) -> str:
        """Of somebody without one in the file: who is in the seat already, else an address that leads nowhere."""
        if link is not None and _same_person(link.user, seat):
            return link.user.email.lower()
        return self._nowhere(change, seat)

    def _nowhere(self, change: Change, seat: Seat) -> str:
        return f"{self.event.pk.hex}-{change.key}-{seat.number}{NOWHERE}"

    def _change(self, change: Change, seat: Seat, person: User) -> None:
        own = person.email.endswith(NOWHERE) or person.email in self.fresh
        if own or self.user is None or may(self.user, "change", person):
            self._name(person, seat.cells)
            if person.email not in self.fresh:
                self.changed[person.email] = person
            return
        reason = _("you may not change the account of %(person)s: leave it as it is") % {"person": person}
        self.problems.append(Problem(change.row, seat.column("first_name"), reason))

    def _differs(self, person: User, cells: Cells) -> bool:
        return any(cells.get(name) and cells[name] != str(getattr(person, name) or "") for name in PERSONAL)

    def _name(self, person: User, cells: Cells) -> None:
        for name in PERSONAL:
            value = cells.get(name)
            if value:
                setattr(person, name, date.fromisoformat(value) if name == "birth_date" else value)

    def write(self) -> None:
        User.objects.bulk_create(self.fresh.values())
        update(self.changed.values(), PERSONAL)


def write_links(crews: Mapping[Entry, list[tuple[User, str]]]) -> None:
    """Make the crews of these entries what they are to be, in the order of the seats; who stays keeps the row."""
    gone, fresh, moved = [], [], []
    for entry, members in crews.items():
        held = {} if entry._state.adding else {link.user_id: link for link in _held(entry)}
        wanted = {person.pk: role for person, role in members}
        gone += [link.pk for user, link in held.items() if user not in wanted]
        fresh += [EntryCrew(entry=entry, user=p, role=role) for p, role in members if p.pk not in held]
        moved += [_with_role(held[p.pk], role) for p, role in members if p.pk in held and held[p.pk].role != role]
    EntryCrew.objects.filter(pk__in=gone).delete()
    EntryCrew.objects.bulk_create(fresh)
    update(moved, ["role"])


def _held(entry: Entry) -> list[EntryCrew]:
    return list(entry.crew_links.all()) if "crew_links" in getattr(entry, "_prefetched_objects_cache", {}) else []


def _with_role(link: EntryCrew, role: str) -> EntryCrew:
    link.role = role
    return link


def _same_person(user: User, seat: Seat) -> bool:
    if user.email.endswith(NOWHERE):
        return True
    return all(seat.cells.get(n, "") in ("", getattr(user, n)) for n in ("first_name", "last_name"))


def _twice(change: Change, people: list[User]) -> Iterator[Problem]:
    emails = [person.email for person in people]
    if len(set(emails)) < len(emails):
        yield Problem(change.row, "crew_1_email", _("one person stands in two seats"))
