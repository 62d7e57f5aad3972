"""WebSocket wiring: origin check, then who it is, then the live channel. One of each part for the process."""

from typing import Any

from channels.routing import URLRouter
from django.conf import settings
from django.urls import path, re_path

from apps.common.stream import streams
from apps.live.consumers import LiveSocket
from apps.live.guard import Guard
from apps.live.hub import Hub
from apps.live.identity import Identified
from apps.live.origin import SameOrigin, refuse
from apps.live.positions import Positions
from apps.live.presence import Broadcast, instance
from apps.live.seating import Rooms
from apps.live.source import DatabaseSource
from apps.live.state_source import DatabaseStates
from apps.live.states import States
from apps.live.stream_source import StreamSource

REFRESH_S = settings.LIVE_DEVICE_EVENT_REFRESH_MS / 1000

broadcast = Broadcast(
    settings.REDIS_URL,
    tuple(streams(settings.REDIS_TELEMETRY_STREAM)),
    settings.LIVE_BROADCAST_GROUP_PREFIX,
    instance(),
)
hub = Hub(DatabaseSource(settings.REDIS_URL))
states = States(DatabaseStates())
hub.listen(states.wake)
live = LiveSocket(Rooms(hub, Positions(StreamSource(broadcast), REFRESH_S), states), Guard(REFRESH_S))
# Django's stubs know views only, Channels routes ASGI applications.
live_here: Any = Identified(live)
nothing_here: Any = refuse

sockets = SameOrigin(URLRouter([path("ws-live", live_here), re_path("", nothing_here)]))
