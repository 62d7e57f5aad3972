"""What every business table shares: a UUID key and two instants."""

import uuid

from django.db import models


class Row(models.Model):
    """Abstract base of the business tables (contracts §3)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True, editable=False)
    updated_at = models.DateTimeField(auto_now=True, editable=False)

    class Meta:
        abstract = True

    def refuse_removal(self) -> None:
        """Raises ValidationError, saying why, for a row that must stay. Asked at every door before it is deleted."""
