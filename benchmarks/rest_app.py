"""The application under benchmarks/rest.py: the real web process, and beside it /bare/<call>, which runs the same
SQL and answers with the same bytes, through the same server, middleware and handler of Django."""

import json
import os
from pathlib import Path
from typing import Any

from trm.asgi import http as application

# isort: split
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

from trm import urls

CALLS: dict[str, Any] = json.loads(Path(os.environ["REST_BENCH_CALLS"]).read_text())  # name → SQL and body


def bare(request: HttpRequest, name: str) -> HttpResponse:
    call = CALLS[name]
    with connection.cursor() as cursor:
        for text in call["sql"]:
            cursor.execute(text)
            cursor.fetchall()
    return HttpResponse(call["body"], content_type="application/json")


urls.urlpatterns.append(path("bare/<str:name>", bare))

__all__ = ["application"]
