"""Rows that say whether an edit of theirs holds for what has already been driven.

The scorer scores all of an event again after any edit (`apps.scoring.upkeep`): there is one truth, by the rules as
they stand. So a row that is not retroactive can be edited until a stage it concerns has begun, and no longer.
"""

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _

# They change no result by themselves.
KEPT = frozenset({"id", "created_at", "updated_at", "retroactive"})


class NotBackwards(models.Model):
    """Abstract: for a row with the field `retroactive`. Call `refuse_backwards` in `clean`."""

    DESCRIPTIVE: ClassVar[frozenset[str]]  # fields that say what the row is, and change no time, penalty or rank

    class Meta:
        abstract = True

    def concerned_stages(self) -> "models.QuerySet[Any]":
        """The stages whose results hang on the row, as it is in memory."""
        raise NotImplementedError

    def refuse_backwards(self) -> None:
        """Raises ValidationError, naming the stages, where the row would change what was driven and does not say so."""
        if self.__dict__["retroactive"]:
            return
        held = type(self)._default_manager.filter(pk=self.pk).first()
        if held is not None and not self._changes(held):
            return
        begun = _begun(self) | (_begun(held) if held is not None else set())
        if begun:
            raise ValidationError(_not_any_more(begun), code="not_retroactive")

    def refuse_removal(self) -> None:
        """Raises ValidationError, naming the stages, where what was driven would be scored without the row."""
        if stages := begun_stages(self):
            text = _("It has begun: %(stages)s. The row is not retroactive: it stays as it is.")
            raise ValidationError(text % {"stages": stages}, code="not_retroactive")

    def _changes(self, held: "NotBackwards") -> set[str]:
        """The fields that count and differ from what is on record."""
        counting = [field for field in self._meta.concrete_fields if field.name not in KEPT | self.DESCRIPTIVE]
        return {f.name for f in counting if getattr(self, f.attname) != getattr(held, f.attname)}


def begun_stages(row: NotBackwards) -> str:
    """The names of the begun stages a row that is not retroactive concerns, "" for none: it must stay as it is."""
    return "" if row.__dict__["retroactive"] else _listed(_begun(row))


def _begun(row: NotBackwards) -> set[tuple[int, str]]:
    stages = row.concerned_stages().filter(starts_at__lte=timezone.now())
    return set(stages.values_list("sort_order", "name"))


def _not_any_more(begun: set[tuple[int, str]]) -> str:
    text = _(
        "It has begun: %(stages)s. This edit would change what was driven there, and the row is not retroactive. "
        "Set retroactive to have it scored again, or leave the row as it is; names and notes may still be changed."
    )
    return text % {"stages": _listed(begun)}


def _listed(begun: set[tuple[int, str]]) -> str:
    return ", ".join(name for _order, name in sorted(begun))
