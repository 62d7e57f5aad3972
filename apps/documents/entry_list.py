"""The entry list of an event: who is entered, with what, in which class."""

from collections import Counter
from datetime import datetime

from django.utils.translation import gettext as _

from apps.documents.paper import Column, Paper, Section, head_of, sealed
from apps.events.models import Entry, Event
from apps.scoring.printed import crew_of, nations_of, with_names


def entry_list(event: Event, now: datetime) -> Paper:
    """As the entries are at `now`; course cars and tests are no competitors and not on it."""
    entries = [entry for entry in with_names(str(event.id)) if entry.competing]
    classes = Counter(entry.race_class.code for entry in entries)
    return sealed(
        Paper(
            kind="entry-list",
            title=_("Entry list"),
            head=head_of(event),
            columns=_columns(),
            sections=(Section("", tuple(_row(entry) for entry in entries)),),
            issued=now,
            facts=((_("Entries"), str(len(entries))), (_("Classes"), str(len(classes)))),
            signatures=(_("Clerk of the course"), _("Secretary of the event")),
        )
    )


def _columns() -> tuple[Column, ...]:
    return (
        Column("race_number", _("No."), 5, wraps=False, strong=True),
        Column("crew", _("Crew"), 28, strong=True),
        Column("nationality", _("Nat."), 8),
        Column("vehicle", _("Vehicle"), 20),
        Column("class", _("Class"), 7),
        Column("team", _("Team"), 18),
        Column("status", _("Status"), 11),
    )


def _row(entry: Entry) -> tuple[str, ...]:
    return (
        str(entry.race_number),
        crew_of(entry),
        nations_of(entry),
        str(entry.vehicle or ""),
        entry.race_class.code,
        entry.team,
        entry.get_status_display(),
    )
