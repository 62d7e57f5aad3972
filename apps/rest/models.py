"""What the API keeps for itself: tokens, and the answers to requests that may come twice."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.common.base import Row


class ApiToken(Row):
    """A key a program signs in with. Only the digest is kept: the token itself is shown once."""

    user = models.ForeignKey(User, models.CASCADE, related_name="api_tokens")
    name = models.CharField(_("name"), max_length=100, blank=True, help_text=_("What it is used for."))
    digest = models.CharField(_("digest"), max_length=64, unique=True, editable=False)
    expires_at = models.DateTimeField(_("expires at"))

    class Meta:
        db_table = "api_tokens"
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.user}: {self.name}"


class IdempotencyKey(models.Model):
    """The answer that was given to a POST with this `Idempotency-Key`; a day later it is forgotten."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    request = models.CharField(max_length=64)  # digest of method, address and body
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(null=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        db_table = "idempotency_keys"
        constraints = [models.UniqueConstraint(fields=("user", "key"), name="idempotency_keys_once")]

    def __str__(self) -> str:
        return self.key
