"""A client of the API as a program would be: JSON and a token. What the document does not say is a failure."""

from typing import Any

import orjson
from django.test import Client

from apps.accounts.factories import OrganizationUserFactory, UserFactory
from apps.accounts.models import Organization, User
from apps.rest import tokens
from apps.rest.tests.contract import breach


class Api:
    """Asks as `user`, or as nobody; `raises` what the server did not catch, in whichever thread asks meanwhile."""

    def __init__(self, user: User | None = None, raises: bool = True) -> None:
        self.user = user
        self._http = Client(raise_request_exception=raises)
        self.headers = {"Authorization": f"Bearer {tokens.make(user)[1]}"} if user else {}

    def get(self, path: str, **headers: str) -> "Answer":
        return self._send("get", path, None, headers)

    def post(self, path: str, body: Any = None, **headers: str) -> "Answer":
        return self._send("post", path, body, headers)

    def patch(self, path: str, body: Any, **headers: str) -> "Answer":
        return self._send("patch", path, body, headers)

    def delete(self, path: str, **headers: str) -> "Answer":
        return self._send("delete", path, None, headers)

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> "Answer":
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        data = b"" if body is None else orjson.dumps(body)
        ask = getattr(self._http, method)
        sent: dict[str, Any] = {"headers": {**self.headers, **named}}
        if method != "get":
            sent |= {"data": data, "content_type": "application/json"}
        answer = ask(f"/api/v1/{path}", **sent)
        if answer.status_code < 500 and not answer.streaming:
            wrong = breach(method, f"/api/v1/{path}", answer)
            assert not wrong, wrong
        return Answer(answer)


class Answer:
    def __init__(self, response: Any) -> None:
        self.status: int = response.status_code
        self.headers = response.headers
        self.content: bytes = response.content if not response.streaming else b"".join(response.streaming_content)

    @property
    def json(self) -> Any:
        return orjson.loads(self.content)

    @property
    def rows(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.json["results"]
        return found

    @property
    def fields(self) -> set[str]:
        """The fields a problem names."""
        return {error["field"] for error in self.json["errors"]}


def official(organization: Organization, role: str = "org-admin") -> Api:
    user = UserFactory()
    OrganizationUserFactory(organization=organization, user=user, role=role)
    return Api(user)
