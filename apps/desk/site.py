"""TRM's admin: Django's, with the officials' desk in front of the tables."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext_lazy as _

from apps.desk.place import at_event, events_of, is_on, link


class DeskSite(admin.AdminSite):
    """Opens at the running event's desk; the tables are one click away, and the start page where none runs."""

    site_header = _("TRM Race Office")
    site_title = _("TRM")
    index_title = _("Race office")
    index_template = "desk/start.html"
    enable_nav_sidebar = False  # the head leads to all tables; rows need the room

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        events = events_of(request)
        running = [event for event in events if is_on(event)]
        if len(running) == 1 and not request.path.endswith("tables/"):
            return redirect(link("stage", running[0]))
        mine = {"desk_events": [(event, is_on(event), link("stage", event)) for event in events]}
        return super().index(request, mine | (extra_context or {}))

    def get_urls(self) -> list[Any]:
        from apps.desk.pages import PAGES, who

        own = [
            path(f"desk/<uuid:event>/{route}", self.admin_view(at_event(view)), name=f"desk_{name}")
            for route, view, name in PAGES
        ]
        more = [
            path("tables/", self.admin_view(self.index), name="tables"),
            path("who/", self.admin_view(who.show), name="who"),
        ]
        return [*own, *more, *super().get_urls()]
