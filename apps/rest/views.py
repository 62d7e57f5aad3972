"""The base of every resource: lists and rows by the policy, writes by the model's rules, conflicts by ETag.

A resource says its model, how its list is ordered and searched, and which references may be read with it:

    class Entries(ResourceViewSet):
        model = Entry
        order = ("race_number",)
        search = ("team",)
        expand = ("race_class", "vehicle")
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from django.core.exceptions import ValidationError as ModelInvalid
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.viewsets import GenericViewSet

from apps.accounts import policy
from apps.accounts.rights import AnyUser
from apps.common.base import Row
from apps.rest import filters, idempotency, reading, writing
from apps.rest.answers import answer, encode, etag
from apps.rest.inside import attach
from apps.rest.listing import Listing
from apps.rest.loading import load
from apps.rest.problems import Changed
from apps.rest.serializers import Body, Nested, RowSerializer, serializer_for


class ApiView(GenericViewSet[Any]):
    """What every address of the API shares: idempotent POSTs, and who asks."""

    lookup_value_regex = "[^/]+"  # an id with a dot is none, and told so like any other
    # For the document: acts that need no token; examples of a body to create and to change, and of a row, of which
    # those fields are enough whose names do not say what to show.
    public: ClassVar[frozenset[str]] = frozenset()
    example: ClassVar[Mapping[str, Any]] = {}
    example_change: ClassVar[Mapping[str, Any]] = {}
    example_answer: ClassVar[Mapping[str, Any]] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        key = request.headers.get(idempotency.HEADER)
        if request.method == "POST" and key is not None and request.user.is_authenticated:
            act = getattr(self, "post")  # noqa: B009 the router set it for the action
            setattr(self, "post", partial(self._once, key, act))  # noqa: B010

    @property
    def user(self) -> AnyUser:
        found: AnyUser = self.request.user
        return found

    def given(self, body: type[Body]) -> dict[str, Any]:
        """The checked values of an act's body. Raises ValidationError."""
        serializer = body(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def _once(self, key: str, act: Any, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        inner = request._request
        return idempotency.once(key, inner, request.user.pk, lambda: act(request, *args, **kwargs))


class ReadOnlyResource(ApiView):
    """Lists and rows of a model."""

    model: ClassVar[type[Model]]
    order: ClassVar[tuple[str, ...]] = ("id",)
    search: ClassVar[tuple[str, ...]] = ()
    expand: ClassVar[tuple[str, ...]] = ()
    nested: ClassVar[tuple[Nested, ...]] = ()  # rows that may be made, and read, together with it
    heavy: ClassVar[frozenset[str]] = frozenset()  # columns that a row has and a list leaves out
    read_only: ClassVar[frozenset[str]] = frozenset()  # set by TRM, never by a body
    lookup_value_regex = "[^/.]+"

    @property
    def queryset(self) -> QuerySet[Any]:  # type: ignore[override]
        return self.model._default_manager.order_by()

    def get_serializer_class(self) -> type[RowSerializer]:
        inside = self.nested if getattr(self, "action", "") == "create" else ()
        return serializer_for(self.model, self.read_only, inside)

    def list(self, request: Request) -> HttpResponse:
        return Listing(self, _params(request)).answer(request.path)

    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        params = _params(request)
        if "expand" in params:
            return answer(self._expanded(self.row(pk), params))
        row = load(self.model, pk)
        readable = policy.fields(self.user, row) if row is not None else None
        if not readable:
            raise Http404
        body = encode(reading.as_dict(row, readable | {"id"}))
        tag = etag(body)
        if request.headers.get("If-None-Match") == tag:
            return HttpResponse(status=304, headers={"ETag": tag})
        return HttpResponse(body, content_type="application/json", headers={"ETag": tag})

    def row(self, pk: str, *, lock: bool = False) -> Any:
        """The row of this id with what leads to its place. Raises Http404 for one the user may not see."""
        path = filters.event_path(self.model)
        related = [] if path in ("", "pk") else [path]
        rows = policy.visible(self.user, self.queryset.select_related(*related) if related else self.queryset)
        if lock:
            rows = rows.select_for_update(of=("self",), no_key=True)
        try:
            row = rows.filter(pk=self.model._meta.pk.to_python(pk)).first()
        except (ValueError, ModelInvalid) as error:
            raise Http404 from error
        if row is None:
            raise Http404
        return row

    def body(self, row: Model) -> bytes:
        """The row as the user may read it."""
        # Of a new row that is nobody's yet, its id.
        return encode(reading.as_dict(row, policy.fields(self.user, row) | {"id"}))

    def _expanded(self, row: Any, params: Mapping[str, str]) -> dict[str, Any]:
        found = reading.as_dict(row, policy.fields(self.user, row))
        for name in self._expansions(params):
            if name not in self.expand:
                continue
            related = getattr(row, name) if name in found else None
            if related is not None and policy.may(self.user, "view", related):
                found[name] = reading.as_dict(related, policy.fields(self.user, related))
        attach(self.user, [found], self._nested(params), writing.event_of_row(row))
        return found

    def _expansions(self, params: Mapping[str, str]) -> Sequence[str]:
        return reading.expansions((*self.expand, *(one.name for one in self.nested)), params.get("expand"))

    def _nested(self, params: Mapping[str, str]) -> Sequence[Nested]:
        asked = self._expansions(params)
        return [one for one in self.nested if one.name in asked]


class AddOnlyResource(ReadOnlyResource):
    """Rows that are made, and then stay: evidence and acts."""

    def create(self, request: Request) -> HttpResponse:
        with transaction.atomic():
            row = self.make(self.checked(request.data))
            return self.made(row)

    def make(self, values: dict[str, Any]) -> Any:
        """A new row of checked values, saved. A resource with a service of its own calls it here."""
        inside = {one: values.pop(one.name, []) for one in self.nested}
        row = self.model(**values)
        writing.save_new(self.user, row)
        for one, rows in inside.items():
            writing.save_inside(self.user, row, one, rows)
        return row

    def checked(self, data: Any, *, partial: bool = False) -> dict[str, Any]:
        """The values of a body. Raises ValidationError naming fields that are wrong, missing or unknown."""
        made = self.get_serializer_class() if not partial else serializer_for(self.model, self.read_only)
        serializer = made(data=data, partial=partial)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def made(self, row: Any) -> HttpResponse:
        shown = self.shown(row, status=201)
        shown.headers["Location"] = f"{self.request.path.rstrip('/')}/{row.pk}"
        return shown

    def shown(self, row: Any, status: int = 200) -> HttpResponse:
        """The row as it was saved."""
        body = self.body(row)
        return HttpResponse(body, status=status, content_type="application/json", headers={"ETag": etag(body)})


class ResourceViewSet(AddOnlyResource):
    """Rows that are made, changed and deleted."""

    def partial_update(self, request: Request, pk: str) -> HttpResponse:
        with transaction.atomic():
            row = self.row(pk, lock=True)
            policy.require(self.user, "change", row)
            values = self.checked(request.data, partial=True)
            self._refuse_outdated(row, values)
            self.change(row, values)
            return self.shown(row)

    def destroy(self, request: Request, pk: str) -> HttpResponse:
        with transaction.atomic():
            row = self.row(pk, lock=True)
            policy.require(self.user, "delete", row)
            self._refuse_outdated(row, {})
            if isinstance(row, Row):
                row.refuse_removal()
            self.remove(row)
            return HttpResponse(status=204)

    def change(self, row: Any, values: dict[str, Any]) -> None:
        writing.save_changed(self.user, row, values)

    def remove(self, row: Any) -> None:
        row.delete()

    def _refuse_outdated(self, row: Any, values: dict[str, Any]) -> None:
        """Raises Changed, with both versions, when the row is no longer the one the client has read."""
        expected = self.request.headers.get("If-Match", "*")
        readable = policy.fields(self.user, row)
        current = reading.as_dict(row, readable)
        if expected == "*" or etag(encode(current)) in [tag.strip() for tag in expected.split(",")]:
            return
        wanted = writing.assign(self.model(**_values(row)), values)
        raise Changed(current=current, yours=reading.as_dict(wanted, readable), etag=etag(encode(current)))


def _values(row: Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def _params(request: Request) -> dict[str, str]:
    """The parameters of an address. Raises ValidationError for one that is given twice."""
    twice = [name for name, values in request.query_params.lists() if len(values) > 1]
    if twice:
        raise ValidationError({name: [_("Given more than once.")] for name in twice})
    return request.query_params.dict()
