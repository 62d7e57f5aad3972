"""Errors as problem details (RFC 9457): what is wrong, and for each field why."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied
from django.core.exceptions import ValidationError as ModelInvalid
from django.db import IntegrityError
from django.db.models import ProtectedError, RestrictedError
from django.http import Http404, HttpResponse
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext as _
from rest_framework import exceptions

from apps.common.said import of_error
from apps.rest.answers import encode

TYPE = "application/problem+json"
INVALID = gettext_lazy("The request is not valid.")
OFF_RECORD = gettext_lazy("This does not fit what is on record.")
UNFIT = {"does_not_exist", "unfit"}  # codes of errors that no document can foretell
WHOLE = "non_field_errors"  # the field of an error about the request as a whole is ""

Error = dict[str, str]


class Conflict(exceptions.APIException):
    """The request does not fit what is on record. `more` goes into the problem as it is."""

    status_code = HTTPStatus.CONFLICT
    default_detail = OFF_RECORD
    default_code = "conflict"

    def __init__(self, detail: str | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.more = more


class Changed(Conflict):
    """Somebody has changed the row since: the answer has it as it is, and as the request would have it."""

    status_code = HTTPStatus.PRECONDITION_FAILED
    default_detail = gettext_lazy("The row has been changed since you read it. Nothing is written.")


class Unprocessable(Conflict):
    status_code = HTTPStatus.UNPROCESSABLE_ENTITY


class Unfit(exceptions.ValidationError):
    """Well formed, as the document says it must be, and still not what may be written here: 422, not 400."""

    status_code = HTTPStatus.UNPROCESSABLE_ENTITY


@contextmanager
def conflicts(*kinds: type[Exception]) -> Iterator[None]:
    """Errors of these kinds, which say what an act cannot do, become a 409 with their words."""
    try:
        yield
    except kinds as error:
        raise Conflict(of_error(error, gettext)) from error


def handle(error: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """DRF's exception handler; None for what is an error of TRM itself."""
    if isinstance(error, ModelInvalid):
        return problem(Unfit.status_code, INVALID, list(_of_model(error)))
    if isinstance(error, IntegrityError):
        return _integrity(error)
    if isinstance(error, Http404):
        return problem(HTTPStatus.NOT_FOUND, _("There is no such row, or it is not yours to see."))
    if isinstance(error, PermissionDenied):
        error = _denied(error, context)
    return _of_drf(error) if isinstance(error, exceptions.APIException) else None


def problem(status: int, detail: Any, errors: Sequence[Error] = (), **more: Any) -> HttpResponse:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": str(detail),
        "errors": list(errors),
    }
    return HttpResponse(encode(body | more), status=status, content_type=TYPE)


def wrong(field: str, message: Any, code: str = "invalid") -> Error:
    return {"field": field, "code": code, "message": str(message)}


def _denied(error: PermissionDenied, context: Mapping[str, Any]) -> exceptions.APIException:
    """Whoever has not said who they are is asked to, first."""
    request = context["request"]
    if request.user.is_authenticated:
        return exceptions.PermissionDenied(str(error) or None)
    unknown = exceptions.NotAuthenticated()
    unknown.auth_header = 'Bearer realm="TRM"'  # type: ignore[attr-defined]
    return unknown


def _of_drf(error: exceptions.APIException) -> HttpResponse:
    if isinstance(error, exceptions.ValidationError):
        errors = list(_flat("", error.detail))
        unfit = all(one["code"] in UNFIT for one in errors)
        return problem(Unfit.status_code if unfit else error.status_code, INVALID, errors)
    more = error.more if isinstance(error, Conflict) else {}
    answer = problem(error.status_code, _words(error), **more)
    if header := getattr(error, "auth_header", ""):
        answer.headers["WWW-Authenticate"] = header
    if wait := getattr(error, "wait", None):
        answer.headers["Retry-After"] = str(int(wait) + 1)
    return answer


def _words(error: exceptions.APIException) -> str:
    """What DRF says in English alone, in TRM's words."""
    if isinstance(error, exceptions.Throttled):
        return _("Too many requests: again in %(seconds)d s.") % {"seconds": int(getattr(error, "wait", None) or 0) + 1}
    if isinstance(error, exceptions.NotAuthenticated):
        return _("Say who you are: sign in, or send a token.")
    if isinstance(error, exceptions.MethodNotAllowed):
        return _("This address does not take it: the header Allow says what it takes.")
    if isinstance(error, exceptions.UnsupportedMediaType):
        return _("Send JSON, with Content-Type: application/json.")
    return str(error.detail)


def _flat(path: str, detail: Any) -> Iterator[Error]:
    """DRF's nested detail as one line for each error; the field of a nested row is `crew.0.role`."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            yield from _flat(path if name == WHOLE else ".".join(filter(None, (path, str(name)))), inner)
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, (Mapping, list))
            yield from _flat(f"{path}.{index}".lstrip(".") if nested else path, inner)
    else:
        yield wrong(path, detail, getattr(detail, "code", "invalid"))


def _of_model(error: ModelInvalid) -> Iterator[Error]:
    if not hasattr(error, "error_dict"):
        yield from (wrong("", message, one.code or "invalid") for one in error.error_list for message in one.messages)
        return
    for name, errors in error.error_dict.items():
        for one in errors:
            field = "" if name == NON_FIELD_ERRORS else name
            yield from (wrong(field, message, one.code or "invalid") for message in one.messages)


def _integrity(error: IntegrityError) -> HttpResponse:
    """What only the database saw: two requests at once, or a row that others refer to."""
    if isinstance(error, (ProtectedError, RestrictedError)):
        rows = error.protected_objects if isinstance(error, ProtectedError) else error.restricted_objects
        tables = sorted({row._meta.db_table for row in rows})
        return problem(HTTPStatus.CONFLICT, _("Other rows refer to it: %(tables)s.") % {"tables": ", ".join(tables)})
    told = getattr(error.__cause__, "diag", None)
    constraint = told.constraint_name if told else None
    return problem(HTTPStatus.CONFLICT, OFF_RECORD, [wrong("", constraint or "", "conflict")])
