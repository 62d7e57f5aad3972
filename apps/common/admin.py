"""Admin pieces several apps share."""

from typing import Any, TypeVar

from django.contrib import admin
from django.db import models
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

M = TypeVar("M", bound=models.Model)


class ReadOnlyAdmin(admin.ModelAdmin[M]):
    """For readings: they are looked at, and only the scorer writes them."""

    def has_add_permission(self, request: object) -> bool:
        return False

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        return False


def document_links(id: Any, kinds: dict[str, Any]) -> SafeString:
    """Links to the PDF of each kind of document made of a row (`apps.documents`): kind → what the link says."""
    links = ((reverse("documents:file", args=[kind, id, "pdf"]), label) for kind, label in kinds.items())
    return format_html_join(" · ", '<a href="{}">{}</a>', links)
