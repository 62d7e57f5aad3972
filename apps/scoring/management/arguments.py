"""What several commands are told: an event, a stage, an entry, the official who acts."""

from django.core.management.base import CommandError

from apps.accounts.models import User
from apps.course.models import Stage
from apps.events.models import Entry, Event


def event_of(slug: str) -> Event:
    """The event of a slug, or `organisation/slug` where several have it. Raises CommandError."""
    organization, _, name = slug.rpartition("/")
    events = list(Event.objects.filter(slug=name, **({"organization__slug": organization} if organization else {})))
    if len(events) != 1:
        rows = Event.objects.values_list("organization__slug", "slug")
        known = ", ".join(sorted("/".join(row) for row in rows)) or "none"
        raise CommandError(f"{len(events)} events are called {slug!r}; there are: {known}")
    return events[0]


def stage_of(event: Event, name: str) -> Stage:
    """A stage by its name or its number in the order. Raises CommandError."""
    stages = list(event.stages.order_by("sort_order"))
    found = [s for s in stages if name in (s.name, str(s.sort_order))]
    if len(found) != 1:
        known = ", ".join(s.name for s in stages) or "none"
        raise CommandError(f"{event.name} has no stage {name!r}; there are: {known}")
    return found[0]


def entry_of(event: Event, number: int) -> Entry:
    """An entry by its race number. Raises CommandError."""
    entry = Entry.objects.filter(event=event, race_number=number).first()
    if entry is None:
        raise CommandError(f"{event.name} has no race number {number}")
    return entry


def official_of(email: str | None) -> User:
    """The user who answers for an act. Raises CommandError."""
    user = User.objects.filter(email__iexact=email or "", is_active=True).first()
    if user is None:
        raise CommandError(f"--author: no active user {email!r}" if email else "--author: say who decides, by e-mail")
    return user
