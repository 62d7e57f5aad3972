"""The web process: HTTP to Django, `/ws-live` to the hub. Served by uvicorn with `--lifespan off`."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trm.settings")
os.environ.setdefault("DATABASE_POOL", "1")  # before the settings are read

import django
from channels.routing import ProtocolTypeRouter

django.setup()  # before what needs the apps

from trm.sockets import sockets  # noqa: E402
from trm.web import Web  # noqa: E402

http = Web()
application = ProtocolTypeRouter({"http": http, "websocket": sockets})
