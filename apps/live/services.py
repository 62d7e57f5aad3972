"""The door of the live channel: does this topic exist, and may this person follow it?"""

from django.contrib.auth.models import AnonymousUser

from apps.accounts.models import User
from apps.accounts.policy import may_view_event
from apps.course.models import Stage
from apps.events.models import Event
from apps.live.protocol import Code, Fault, Topic


def admit(user: User | AnonymousUser, topic: Topic) -> None:
    """Return where `user` may follow `topic`; else raise Fault, `not-found` or `forbidden`."""
    event = Event.objects.filter(id=topic.event).first()
    if event is None:
        raise Fault(Code.NOT_FOUND, "no such event")
    if not may_view_event(user, event):
        raise Fault(Code.FORBIDDEN, "this event is not public")
    if topic.stage and not Stage.objects.filter(id=topic.stage, event=event).exists():
        raise Fault(Code.NOT_FOUND, "this event has no such stage")
