"""WebSocket wiring: origin check, then session, then the live channel. One hub for the process."""

from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from django.conf import settings
from django.urls import path, re_path

from apps.live.consumers import LiveSocket
from apps.live.hub import Hub
from apps.live.origin import SameOrigin, refuse
from apps.live.source import DatabaseSource

hub = Hub(DatabaseSource(settings.REDIS_URL))
nothing_here: Any = refuse  # Django's stubs know views only, Channels routes ASGI applications

sockets = SameOrigin(URLRouter([path("ws-live", AuthMiddlewareStack(LiveSocket(hub))), re_path("", nothing_here)]))
