"""The documents of an event in its form."""

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.events.admin import PANELS
from apps.events.models import Event


def documents_panel(event: Event) -> SafeString:
    link = reverse("documents:event", args=[event.pk])
    return format_html('<p><a href="{}">{}</a></p>', link, _("Documents: lists, classifications, decisions"))


PANELS.append(documents_panel)
