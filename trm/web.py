"""Requests over HTTP: each whole in one thread, from the first middleware to the last.

Django's own handler takes a new thread for each request, and goes to it and back for each of its middlewares. None of
our views awaits anything, so that is work for nothing: more of it than most answers need.
"""

import asyncio
import contextvars
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.db import close_old_connections
from django.http import FileResponse
from django.urls import set_script_prefix

T = TypeVar("T")
THREADS = 16  # each takes one connection of the pool at most, see trm/environment.py


class Web(ASGIHandler):
    """The ASGI application for everything but sockets."""

    def __init__(self) -> None:
        super().__init__()
        self.load_middleware(is_async=False)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="web")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        with body:
            response = await self._threaded(lambda: self._answered(scope, body))
        if response.streaming:
            await self._stream(response, send)
        else:
            await self.send_response(response, send)

    async def _threaded(self, work: Callable[[], T]) -> T:
        # In a context of its own: what a request activates, a language say, must not be the next one's.
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._threads, context.run, work)

    def _answered(self, scope: Any, body: Any) -> Any:
        """The response: closed, so that nothing is left to this thread, unless it is still to be read."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=type(self), scope=scope)
        request, refusal = self.create_request(scope, body)
        response: Any = refusal if request is None else self.get_response(request)
        response._handler_class = type(self)
        if response.streaming:
            close_old_connections()
        else:
            response.close()
        return response

    async def _stream(self, response: Any, send: Any) -> None:
        """Chunk by chunk, so that a slow reader holds no thread and a large file no memory."""
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size
        response.streaming_content = self._chunks(iter(response))
        try:
            await self.send_response(response, send)
        finally:
            await self._threaded(response.close)

    async def _chunks(self, chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
        while (chunk := await self._threaded(lambda: next(chunks, None))) is not None:
            yield chunk
