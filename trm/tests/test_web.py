"""HTTP to Django: one thread for a request, nothing left behind in it, files by the chunk."""

import asyncio
import io
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import path
from django.utils import translation

from trm.web import THREADS, Web

SCOPE = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [(b"host", b"localhost")]}
View = Callable[[HttpRequest], HttpResponseBase]


@pytest.fixture
def web() -> Web:
    return Web()


async def ask(web: Web, view: View) -> list[dict[str, Any]]:
    """What `view` sends, in the place of the middlewares and the addresses."""
    web.get_response = view  # type: ignore[assignment, method-assign]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await web(SCOPE, receive, send)
    return sent


def body(sent: list[dict[str, Any]]) -> bytes:
    return b"".join(message.get("body", b"") for message in sent[1:])


def test_the_middlewares_and_the_view_run_in_one_thread(settings: Any) -> None:
    """A hop between threads for each middleware costs more than the answer."""
    settings.MIDDLEWARE = ["trm.tests.test_web.Noting", *settings.MIDDLEWARE]
    settings.ROOT_URLCONF = "trm.tests.test_web"
    sent = asyncio.run(ask(web := Web(), web.get_response))
    assert body(sent).decode() == Noting.thread


class Noting:
    """Middleware: the outermost's thread."""

    thread = ""

    def __init__(self, get_response: View) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        Noting.thread = threading.current_thread().name
        return self._get_response(request)


def thread_name(request: HttpRequest) -> HttpResponse:
    return HttpResponse(threading.current_thread().name)


def test_the_language_of_a_request_is_not_the_next_ones(web: Web) -> None:
    def albanian(request: HttpRequest) -> HttpResponse:
        translation.activate("sq")
        return HttpResponse("")

    async def both() -> list[dict[str, Any]]:
        for _ in range(THREADS):
            await ask(web, albanian)
        return await ask(web, lambda request: HttpResponse(translation.get_language()))

    assert body(asyncio.run(both())) == b"en"


@pytest.mark.parametrize("wrap", [HttpResponse, lambda data: FileResponse(io.BytesIO(data))])
def test_an_answer_gives_its_connection_back(web: Web, wrap: Any, transactional_db: None) -> None:
    """Threads are kept: a connection that stays with each of them would be the pool's last."""
    wrappers: list[Any] = []

    def view(request: HttpRequest) -> HttpResponseBase:
        wrappers.append(connection._connections[connection._alias])  # type: ignore[attr-defined]
        connection.settings_dict["CONN_MAX_AGE"] = 0
        with connection.cursor() as cursor:
            cursor.execute("select 1")
        return wrap(b"1")  # type: ignore[no-any-return]

    assert body(asyncio.run(ask(web, view))) == b"1"
    assert [one.connection for one in wrappers] == [None]


def test_a_file_is_sent_by_the_chunk_and_closed(web: Web) -> None:
    file = io.BytesIO(b"x" * 200_000)
    sent = asyncio.run(ask(web, lambda request: FileResponse(file)))
    assert len(body(sent)) == 200_000
    assert len(sent) > 3
    assert file.closed


def test_a_client_who_goes_while_it_sends_is_nobodys_error(web: Web) -> None:
    sent: list[Any] = []

    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(web(SCOPE, gone, send))
    assert sent == []


urlpatterns = [path("", thread_name)]
