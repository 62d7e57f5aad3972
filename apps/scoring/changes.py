"""A change of course, rules or decisions written down as data, for dry runs and for doing it afterwards.

set:                                    # fields of rows that exist
  - table: waypoints
    where: {segment__stage__name: Stage 1, name: WPM 7}
    values: {tolerance_meters: 200}
decide:
  - {kind: set_status, entry: 304, stage: Stage 1, params: {status: dnf}, reason: Towed in}
revoke:
  - {number: 3, reason: The video shows it}
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.core.exceptions import FieldError, ValidationError
from django.db.models import Model

from apps.accounts.models import User
from apps.course.models import Geofence, Segment, SpeedLimitZone, Stage, Waypoint
from apps.events.models import Entry, Event, RaceClass
from apps.penalties.models import Decision, PenaltyFormula
from apps.scoring.decisions import Draft, decide, revoke

# Tables a change may edit, and the way from a row to its event.
TABLES: Mapping[str, tuple[type[Model], str]] = {
    "stages": (Stage, "event"),
    "segments": (Segment, "stage__event"),
    "geofences": (Geofence, "event"),
    "waypoints": (Waypoint, "segment__stage__event"),
    "speed_limit_zones": (SpeedLimitZone, "segment__stage__event"),
    "penalty_formulas": (PenaltyFormula, "event"),
    "entries": (Entry, "event"),
}


class ChangeError(ValueError):
    """A change that cannot be made; the message names its place in the document."""


def apply(event: Event, document: Any, author: User) -> int:
    """Make every change of a document, in order; how many rows and decisions. Call it inside a transaction.

    Raises ChangeError naming the place, e.g. `set[0].where`, and why.
    """
    parts = {"set": _set, "decide": _decide, "revoke": _revoke}
    if not isinstance(document, dict) or not document.keys() <= parts.keys():
        raise ChangeError(f"a change has {', '.join(parts)}, not {_kind(document)}")
    return sum(
        _made(f"{part}[{n}]", make, (event, item, author))
        for part, make in parts.items()
        for n, item in enumerate(document.get(part) or ())
    )


Make = Callable[[Event, Mapping[str, Any], User], int]


def _made(place: str, make: Make, of: tuple[Event, Any, User]) -> int:
    if not isinstance(of[1], dict):
        raise ChangeError(f"{place}: an object is needed, not {_kind(of[1])}")
    try:
        return make(*of)
    except ValidationError as error:
        raise ChangeError(f"{place}: {'; '.join(_sentences(error))}") from error
    except KeyError as error:
        raise ChangeError(f"{place}.{error.args[0]}: missing") from error
    except (FieldError, TypeError, ValueError, LookupError) as error:
        raise ChangeError(f"{place}: {error}") from error


def _sentences(error: ValidationError) -> Sequence[str]:
    if hasattr(error, "error_dict"):
        return [f"{field}: {' '.join(messages)}" for field, messages in error.message_dict.items()]
    return error.messages


def _set(event: Event, item: Mapping[str, Any], author: User) -> int:
    """Edit fields of the rows found; each row is checked as the admin would check it."""
    if item["table"] not in TABLES:
        raise LookupError(f"table {item['table']!r} is none of {', '.join(TABLES)}")
    model, way = TABLES[item["table"]]
    rows = list(model._default_manager.filter(**{way: event}, **item.get("where", {})))
    if not rows:
        raise LookupError(f"no row of {item['table']} is like {item.get('where', {})}")
    known = {field.name for field in model._meta.fields}
    unknown = sorted(item["values"].keys() - known)
    if unknown:
        raise LookupError(f"values: {item['table']} have no {', '.join(unknown)}")
    for row in rows:
        for name, value in item["values"].items():
            setattr(row, name, value)
        row.full_clean()
        row.save()
    return len(rows)


def _decide(event: Event, item: Mapping[str, Any], author: User) -> int:
    draft = Draft(
        event=event,
        kind=item["kind"],
        params=item["params"],
        reason=item["reason"],
        entry=_one(Entry, event, "race_number", item.get("entry")),
        race_class=_one(RaceClass, event, "code", item.get("class")),
        stage=_one(Stage, event, "name", item.get("stage")),
        article=item.get("article", ""),
        document=item.get("document", ""),
    )
    decide(draft, author)
    return 1


def _revoke(event: Event, item: Mapping[str, Any], author: User) -> int:
    decision = Decision.objects.filter(event=event, number=item["number"]).first()
    if decision is None:
        raise LookupError(f"the event has no decision {item['number']}")
    revoke(decision, author, item["reason"])
    return 1


def _one(model: Any, event: Event, field: str, value: Any) -> Any:
    if value is None:
        return None
    found = model.objects.filter(event=event, **{field: value}).first()
    if found is None:
        raise LookupError(f"the event has no {model._meta.verbose_name} {value!r}")
    return found


def _kind(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, dict) else type(value).__name__
