"""Published results, for tests of what they forbid."""

from django.apps import apps

from apps.accounts.factories import UserFactory
from apps.course.models import Stage
from apps.events.models import Event


def publish(event: Event, state: str, stage: Stage | None = None) -> None:
    """A revision in this state; its table belongs to an app above this one, which is not imported."""
    revision = apps.get_model("scoring", "ResultRevision")
    revision.objects.create(
        event=event, stage=stage, number=1, state=state, published_by=UserFactory(), snapshot={}, hash="-"
    )
