"""Nothing stale: whatever was edited, by whatever door, is scored again without anybody asking for it.

The scorer compares the versions of an event's course, rules, decisions, manual times, start times and assignments with
those it scored by last. So an edit in the admin, by REST, by a command or by raw SQL cannot be forgotten, and a crash
in the middle only means that it is done again.
"""

from collections.abc import Iterator, Mapping

from django.db import transaction

from apps.scoring import queries
from apps.scoring.models import EntryState, EventState
from apps.scoring.services import Again, rank_again, score_again

Versions = Mapping[str, tuple[str, str]]


def keep_up(event: str) -> Iterator[list[str]]:
    """Score what was edited since the last time; the topics with news, after each few entries.

    Nothing when another scorer is at it. Raises ValueError for a course that cannot be read: the edit is then tried
    again the next time.
    """
    with queries.leading("upkeep", event) as leads:
        if leads:
            yield from _keep_up(event)


def _keep_up(event: str) -> Iterator[list[str]]:
    course, rules = queries.fingerprint(event)
    entries = queries.entry_fingerprints(event)
    held = EventState.objects.filter(event_id=event).values_list("course", "rules").first()
    work = list(_work(event, (course, rules), held, _changed(event, entries)))
    for again in work:
        for _done, topics in score_again(again):
            yield topics
    if work and (topics := rank_again(event)):
        yield topics
    _remember(event, (course, rules), held, entries)


def _work(
    event: str, versions: tuple[str, str], held: tuple[str, str] | None, changed: Mapping[str, bool]
) -> Iterator[Again]:
    """What has to be scored: all of it after an edit of course or rules, else the entries edited."""
    if held is None or held[0] != versions[0]:
        yield Again(event)
        return
    looking = tuple(entry for entry, devices in changed.items() if devices)
    if looking:
        yield Again(event, looking)
    if held[1] != versions[1]:
        yield Again(event, detecting=False)
        return
    told = tuple(entry for entry, devices in changed.items() if not devices)
    if told:
        yield Again(event, told, detecting=False)


def _changed(event: str, entries: Versions) -> dict[str, bool]:
    """Entries whose versions differ from those held; True where its trackers are among it."""
    held = {
        str(entry): (inputs, devices)
        for entry, inputs, devices in EntryState.objects.filter(entry__event_id=event).values_list(
            "entry_id", "inputs", "devices"
        )
    }
    return {
        entry: entry not in held or held[entry][1] != versions[1]
        for entry, versions in sorted(entries.items())
        if held.get(entry) != versions
    }


def _remember(event: str, versions: tuple[str, str], held: tuple[str, str] | None, entries: Versions) -> None:
    """Keep the versions as they were before the work began: an edit meanwhile is seen the next time."""
    fresh = [EntryState(entry_id=entry, inputs=v[0], devices=v[1]) for entry, v in _news(event, entries).items()]
    if not fresh and held == versions:
        return
    with transaction.atomic():
        EntryState.objects.bulk_create(
            fresh, update_conflicts=True, unique_fields=["entry"], update_fields=["inputs", "devices"]
        )
        EventState.objects.update_or_create(event_id=event, defaults={"course": versions[0], "rules": versions[1]})


def _news(event: str, entries: Versions) -> Versions:
    return {entry: entries[entry] for entry in _changed(event, entries)}
