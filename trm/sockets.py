"""WebSocket wiring: origin check, then session, then the live channel. One hub and one guard for the process."""

from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from django.conf import settings
from django.urls import path, re_path

from apps.live.consumers import LiveSocket
from apps.live.guard import Guard
from apps.live.hub import Hub
from apps.live.origin import SameOrigin, refuse
from apps.live.source import DatabaseSource

live = LiveSocket(Hub(DatabaseSource(settings.REDIS_URL)), Guard(settings.LIVE_DEVICE_EVENT_REFRESH_MS / 1000))
nothing_here: Any = refuse  # Django's stubs know views only, Channels routes ASGI applications

sockets = SameOrigin(URLRouter([path("ws-live", AuthMiddlewareStack(live)), re_path("", nothing_here)]))
