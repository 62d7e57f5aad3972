"""Telemetry keeps its data outside the ORM: positions by raw SQL, dead letters in Redis."""

from django.db import models
from django.utils.translation import gettext_lazy as _

REPLAY_DEAD_LETTERS = "telemetry.replay_dead_letters"


class DeadLetter(models.Model):
    """Has no table: it gives the dead letters in Redis a place in the admin, and a permission."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = [("replay_dead_letters", "Can see, replay and drop dead letters")]
        verbose_name = _("dead letter")
        verbose_name_plural = _("dead letters")
