"""What race control keeps of its own: who saw which alarm."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.base import Row
from apps.events.models import Entry


class Acknowledgement(Row):
    """An official has seen an entry's alarm. Never changed or deleted: a later alarm asks again."""

    entry = models.ForeignKey(Entry, models.RESTRICT, related_name="acknowledgements")
    alarm_ts = models.BigIntegerField(_("alarm, ms"), help_text=_("The instant of the latest panic fix seen."))
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.RESTRICT, related_name="acknowledgements")
    note = models.TextField(_("note"), blank=True)

    class Meta:
        db_table = "acknowledgements"
        ordering = ("-alarm_ts",)
        constraints = [models.UniqueConstraint(fields=("entry", "alarm_ts"), name="acknowledgements_once")]

    def __str__(self) -> str:
        return f"{self.entry}: {self.author}"
