"""The OpenAPI document, and Swagger's page for it: from this server alone, without inline scripts."""

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularSwaggerSplitView

from apps.common.csp import STRICT
from apps.rest.problems import problem
from apps.rest.schema import document

# Swagger draws its icons from data: addresses, and writes styles into its elements.
POLICY = f"{STRICT}; img-src 'self' data:; style-src 'self' 'unsafe-inline'"


def openapi(request: HttpRequest) -> HttpResponse:
    return HttpResponse(document(), content_type="application/vnd.oai.openapi+json;version=3.1")


@csrf_exempt
def nothing_here(request: HttpRequest, address: str) -> HttpResponse:
    return problem(HTTPStatus.NOT_FOUND, _("There is nothing at this address. /api/v1/docs shows all there is."))


class Swagger(SpectacularSwaggerSplitView):
    url_name = "openapi"

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        response.headers["Content-Security-Policy"] = POLICY
        return response
