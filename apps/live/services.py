"""The door of the live channel: who may follow what, when they ask and for as long as they listen."""

from collections.abc import Iterable
from dataclasses import dataclass

from apps.accounts.policy import may, subscribable
from apps.accounts.rights import AnyUser, remembering
from apps.course.models import Stage
from apps.events.audience import Audience, audience_of
from apps.events.models import Entry, Event
from apps.live import identity, protocol
from apps.live.identity import Identity
from apps.live.protocol import Code, Fault, Kind, Topic

SESSION_ENDED = 4401
RIGHT_LOST = 4403
TIMES = "timing_records"  # who may see these of an entry may follow its times


def admit(user: AnyUser, topic: Topic) -> Audience:
    """As whom `user` may follow `topic`. Raises Fault, `not-found` or `forbidden`."""
    return _admit(user, topic, _Subjects([topic]))


@dataclass(frozen=True, slots=True)
class Right:
    """What a socket relies on: who it said it is, and the topic it follows."""

    identity: Identity
    topic: str


def look(rights: Iterable[Right]) -> dict[Right, Audience | int]:
    """As whom each may still follow its topic, or the close code that says why not."""
    topics = {right: protocol.topic(right.topic) for right in rights}
    subjects = _Subjects(topics.values())
    users = {shown: identity.user_of(shown) for shown in {right.identity for right in topics}}
    with remembering():
        return {right: _look(users[right.identity], topic, subjects) for right, topic in topics.items()}


def _look(user: AnyUser | None, topic: Topic, subjects: "_Subjects") -> Audience | int:
    if user is None:
        return SESSION_ENDED
    try:
        return _admit(user, topic, subjects)
    except Fault:
        return RIGHT_LOST


class _Subjects:
    """The events and entries that topics are about, read at once."""

    def __init__(self, topics: Iterable[Topic]) -> None:
        topics = list(topics)
        entries = {topic.subject for topic in topics if topic.kind is Kind.ENTRY}
        events = {topic.subject for topic in topics if topic.kind is not Kind.ENTRY}
        self.entries = {str(row.id): row for row in Entry.objects.filter(id__in=entries).select_related("event")}
        self.events = {str(row.id): row for row in Event.objects.filter(id__in=events)}


def _admit(user: AnyUser, topic: Topic, subjects: _Subjects) -> Audience:
    if topic.kind is Kind.ENTRY:
        return _admit_to_entry(user, subjects.entries.get(topic.subject))
    event = subjects.events.get(topic.subject)
    if event is None:
        raise Fault(Code.NOT_FOUND, "no such event")
    if topic.kind is Kind.RACE_CONTROL:
        return _admit_to_race_control(user, topic, event)
    if not subscribable(user, topic.name, event):
        raise Fault(Code.FORBIDDEN, "this event is not public")
    if topic.stage and not Stage.objects.filter(id=topic.stage, event=event).exists():
        raise Fault(Code.NOT_FOUND, "this event has no such stage")
    return audience_of(user, event)


def _admit_to_entry(user: AnyUser, entry: Entry | None) -> Audience:
    if entry is None:
        raise Fault(Code.NOT_FOUND, "no such entry")
    audience = audience_of(user, entry.event)
    if not may(user, "view", TIMES, inside=entry) or audience.delay_of(str(entry.id)):
        raise Fault(Code.FORBIDDEN, "an entry's own times are for its crew and the officials")
    return audience


def _admit_to_race_control(user: AnyUser, topic: Topic, event: Event) -> Audience:
    if not subscribable(user, topic.name, event):
        raise Fault(Code.FORBIDDEN, "race control is for the officials of the event")
    return Audience(official=True)
