"""The addresses under /api/v1/: each app's resources by their names (contracts §3).

A resource that a higher app adds acts to is registered by that app: the later one holds.
"""

from django.urls import include, path
from django.views.generic import RedirectView
from rest_framework.routers import SimpleRouter

from apps.audit import api as audit
from apps.catalog import api as catalog
from apps.commands import api as commands
from apps.course import api as course
from apps.events import api as events
from apps.integrations import api as integrations
from apps.live import api as live
from apps.penalties import api as penalties
from apps.racelog import api as racelog
from apps.rest import accounts_api as accounts
from apps.rest import dead_letters_api as dead_letters
from apps.rest.pages import Swagger, nothing_here, openapi
from apps.rest.token_api import Tokens, Whoami
from apps.rest.views import ApiView
from apps.safety import api as safety
from apps.scoring import api as scoring
from apps.timing import api as timing

APPS = (
    accounts,
    catalog,
    events,
    course,
    timing,
    penalties,
    racelog,
    audit,
    scoring,
    commands,
    safety,
    integrations,
    live,
)
RESOURCES: dict[str, type[ApiView]] = {name: view for app in APPS for name, view in app.RESOURCES.items()}
NAMED: dict[str, type[ApiView]] = {"tokens": Tokens, "me": Whoami, **RESOURCES, **dead_letters.RESOURCES}

router = SimpleRouter(trailing_slash=False)
for name, view in NAMED.items():
    router.register(name, view, basename=name)

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="swagger")),
    path("", include(router.urls)),
    path("openapi.json", openapi, name="openapi"),
    path("docs", Swagger.as_view(), name="swagger"),
    path("<path:address>", nothing_here),
]
