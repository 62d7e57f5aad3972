"""Admin pieces several apps share."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.contrib import admin
from django.db import models
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from apps.common.durations import as_duration
from apps.common.position import instant

M = TypeVar("M", bound=models.Model)


class ReadOnlyAdmin(admin.ModelAdmin[M]):
    """For readings: they are looked at, and only the scorer writes them."""

    def has_add_permission(self, request: object) -> bool:
        return False

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        return False


def time_column(field: str, label: Any) -> Callable[[Any, Any], str]:
    """A column of a list for an instant in epoch ms: the UTC time, to the millisecond."""
    return _column(field, label, lambda ts: f"{instant(ts):%Y-%m-%d %H:%M:%S.%f}"[:-3])


def duration_column(field: str, label: Any) -> Callable[[Any, Any], str]:
    """A column of a list for a duration in ms: H:MM:SS."""
    return _column(field, label, as_duration)


def _column(field: str, label: Any, words: Callable[[int], str]) -> Callable[[Any, Any], str]:
    @admin.display(description=label, ordering=field)
    def column(model_admin: Any, row: Any) -> str:
        value = getattr(row, field)
        return "–" if value is None else words(value)

    return column


def choices_in_words(name: str, description: Any) -> Callable[[models.Model], str]:
    """A column for an array of choices: their labels, where Django would show what is stored."""

    @admin.display(description=description, ordering=name)
    def column(row: models.Model) -> str:
        field: Any = row._meta.get_field(name)
        labels = dict(field.base_field.flatchoices)
        return ", ".join(str(labels.get(one, one)) for one in getattr(row, name))

    return column


def document_links(id: Any, kinds: dict[str, Any]) -> SafeString:
    """Links to the PDF of each kind of document made of a row (`apps.documents`): kind → what the link says."""
    links = ((reverse("documents:file", args=[kind, id, "pdf"]), label) for kind, label in kinds.items())
    return format_html_join(" · ", '<a href="{}">{}</a>', links)
