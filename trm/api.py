"""The addresses under /api/v1/: each app's resources by their names (contracts §3)."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from apps.catalog import api as catalog
from apps.events import api as events
from apps.rest import accounts_api as accounts
from apps.rest.pages import Swagger, openapi
from apps.rest.token_api import Tokens, Whoami
from apps.rest.views import ApiView

RESOURCES: dict[str, type[ApiView]] = {**accounts.RESOURCES, **catalog.RESOURCES, **events.RESOURCES}

router = SimpleRouter(trailing_slash=False)
NAMED: dict[str, type[ApiView]] = {"tokens": Tokens, "me": Whoami, **RESOURCES}

for name, view in NAMED.items():
    router.register(name, view, basename=name)

urlpatterns = [
    path("", include(router.urls)),
    path("openapi.json", openapi, name="openapi"),
    path("docs", Swagger.as_view(), name="swagger"),
]
