"""The web process: HTTP to Django, `/ws-live` to the hub. Served by uvicorn with `--lifespan off`."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trm.settings")
os.environ.setdefault("DATABASE_POOL", "1")  # before the settings are read: under ASGI each request has its thread

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

http = get_asgi_application()  # loads the apps, which the sockets need

from trm.sockets import sockets  # noqa: E402

application = ProtocolTypeRouter({"http": http, "websocket": sockets})
