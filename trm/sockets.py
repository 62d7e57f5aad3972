"""WebSocket wiring: origin check, then session, then the live channel. One hub and one guard for the process."""

from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from django.conf import settings
from django.urls import path, re_path

from apps.common.stream import streams
from apps.live.consumers import LiveSocket
from apps.live.guard import Guard
from apps.live.hub import Hub
from apps.live.origin import SameOrigin, refuse
from apps.live.positions import Positions
from apps.live.source import DatabaseSource
from apps.live.stream_source import Broadcast, StreamSource

REFRESH_S = settings.LIVE_DEVICE_EVENT_REFRESH_MS / 1000

broadcast = Broadcast(
    settings.REDIS_URL,
    tuple(streams(settings.REDIS_TELEMETRY_STREAM)),
    f"{settings.LIVE_BROADCAST_GROUP_PREFIX}-{settings.INSTANCE_ID}",
)
live = LiveSocket(
    Hub(DatabaseSource(settings.REDIS_URL)), Positions(StreamSource(broadcast), REFRESH_S), Guard(REFRESH_S)
)
nothing_here: Any = refuse  # Django's stubs know views only, Channels routes ASGI applications

sockets = SameOrigin(URLRouter([path("ws-live", AuthMiddlewareStack(live)), re_path("", nothing_here)]))
