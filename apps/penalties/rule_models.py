"""Where an event's rules come from, and its answers to the checklist of rulebook §11."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.base import Row
from apps.events.models import Event
from apps.penalties.profiles.questions import QUESTIONS


def question_choices() -> list[tuple[str, str]]:
    return [(key, f"{number}. {text}") for number, (key, text) in enumerate(QUESTIONS.items(), start=1)]


class ProfileUse(Row):
    """A rule file as it was applied to an event: the last one is the event's. The rules themselves are rows."""

    event = models.ForeignKey(Event, models.CASCADE, related_name="profile_uses")
    name = models.CharField(_("profile"), max_length=80)
    version = models.CharField(_("version"), max_length=40)
    document = models.JSONField(_("rules of the event then"), default=dict)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.RESTRICT, null=True, blank=True, related_name="applied_profiles"
    )
    reason = models.TextField(_("reason"), blank=True, help_text=_("Why, where results were official already."))

    class Meta:
        db_table = "profile_uses"
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class RuleAnswer(Row):
    """What the regulations of the event say to an item of the checklist; settled once nothing of it is open."""

    event = models.ForeignKey(Event, models.CASCADE, related_name="rule_answers")
    key = models.CharField(_("item"), max_length=24, choices=question_choices)
    answer = models.TextField(_("answer"), blank=True)
    still_open = models.TextField(_("still open"), blank=True, help_text=_("Empty = the item is settled."))
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.RESTRICT, null=True, blank=True, related_name="rule_answers"
    )
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True)

    class Meta:
        db_table = "rule_answers"
        ordering = ("event", "key")
        constraints = [models.UniqueConstraint(fields=("event", "key"), name="rule_answers_once")]

    def __str__(self) -> str:
        return f"{self.get_key_display()}"
