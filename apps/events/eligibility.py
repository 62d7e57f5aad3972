"""What an entry needs: by its event's discipline, and by its class. The admin and REST ask through the models' `clean`.

A discipline's needs are refused outright. That an engine or an age does not fit the class is a warning, which an
official overrides with a reason (`Entry.eligibility_override`).
"""

from datetime import date
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from apps.events.models import Entry, EntryCrew, RaceClass

ON_FOOT = {"trail-run": "runner", "hike": "hiker"}  # discipline → the one role of its crews
NEED_VEHICLE = frozenset({"rally"})
AGED = frozenset({"pilot", "rider", "runner", "hiker"})  # whose age a class is about
CODE = "not_eligible"  # of errors an override silences


def check_entry(entry: "Entry") -> None:
    """Raises ValidationError naming the field."""
    discipline = entry.event.discipline
    if discipline in ON_FOOT and entry.vehicle_id:
        raise ValidationError({"vehicle": _("An entry on foot has no vehicle.")})
    if discipline in NEED_VEHICLE and not entry.vehicle_id:
        raise ValidationError({"vehicle": _("A rally entry needs a vehicle.")})
    if entry.vehicle_id and entry.race_class_id and not entry.eligibility_override:
        _check_engine(entry.race_class, entry.vehicle.cc if entry.vehicle else None)
    if entry.race_class_id and not entry.eligibility_override and not entry._state.adding:
        for link in entry.crew_links.select_related("user"):
            _check_age(entry, link, "race_class")


def check_crew(link: "EntryCrew") -> None:
    """Raises ValidationError naming the field."""
    discipline = link.entry.event.discipline
    foot = ON_FOOT.get(discipline)
    if foot is not None and link.role != foot:
        raise ValidationError({"role": _("In this discipline everybody is a %(role)s.") % {"role": foot}})
    if foot is None and link.role in ON_FOOT.values():
        raise ValidationError({"role": _("Nobody goes on foot in this discipline.")})
    if link.entry.competing and not link.entry.eligibility_override:
        _check_age(link.entry, link, "user")


def age_on(day: date, birth: date) -> int:
    """Whole years."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def _check_engine(race_class: "RaceClass", cc: int | None) -> None:
    low, high = race_class.cc_min, race_class.cc_max
    if cc is not None and not _within(cc, low, high):
        told = {"class": race_class.code, "cc": cc, "range": _range(low, high)}
        raise _warning("vehicle", _("Class %(class)s is for %(range)s cc, this engine has %(cc)s.") % told)


def _check_age(entry: "Entry", link: "EntryCrew", field: str) -> None:
    race_class, birth = entry.race_class, link.user.birth_date
    low, high = race_class.age_min, race_class.age_max
    if birth is None or link.role not in AGED:
        return
    age = age_on(entry.event.starts_at.date(), birth)
    if not _within(age, low, high):
        # Not the age itself: birth dates are not for everyone who registers entries.
        told = {"class": race_class.code, "range": _range(low, high)}
        raise _warning(field, _("Class %(class)s is for ages %(range)s at the start of the event.") % told)


def _warning(field: str, message: str) -> ValidationError:
    hint = _("Give a reason in eligibility_override to let it in.")
    return ValidationError({field: ValidationError(f"{message} {hint}", code=CODE)})


def _within(value: int, low: int | None, high: int | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


def _range(low: int | None, high: int | None) -> str:
    return f"{'' if low is None else low}–{'' if high is None else high}"
