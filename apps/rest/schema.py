"""The OpenAPI document: what drf-spectacular reads from the serializers, and what is TRM's own beside it."""

import inspect
from collections.abc import Iterator, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any, Final

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework.serializers import Serializer

from apps.accounts.policy_rules import RULES
from apps.accounts.policy_table import ANYONE
from apps.rest import filters, paging
from apps.rest.answers import encode
from apps.rest.examples import answer_of, change_of, example_of
from apps.rest.problems import TYPE
from apps.rest.serializers import Body, Known, RowSerializer

HEADER: Final = "header"
IF_MATCH = OpenApiParameter("If-Match", str, HEADER, description="The ETag you read; 412 where the row has changed.")
IF_NONE_MATCH = OpenApiParameter("If-None-Match", str, HEADER, description="The ETag you have; 304 where it still is.")
REASON = OpenApiParameter("TRM-Reason", str, HEADER, description="Why, for the audit; percent-encoded.")
KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "maxLength": 200, "pattern": r"^[ -~]*$"},
    HEADER,
    description="Any text of yours. The same key again gives the same answer, and does nothing twice.",
)

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "Problem details (RFC 9457). 400: not as this document has it; 422: well formed, and refused by"
    " a rule. A 412 has `current`, `yours` and the present `etag` as well.",
    "required": ["type", "title", "status", "detail", "errors"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "message"],
                "properties": {name: {"type": "string"} for name in ("field", "code", "message")},
            },
        },
    },
}
NOT_BLANK = r"^[^\u0000]*[^\s\u0000\u001c-\u001f\u0085][^\u0000]*$"
# What is said to who reads the code.
OURS = {inspect.getdoc(kind) for kind in (Known, Body, RowSerializer)}
FINE = (200, 201, 202)  # answers that have an example
ALWAYS = (400, 401, 403, 404, 406, 429)
ERRORS = {
    "get": (*ALWAYS, 409, 422),
    "post": (*ALWAYS, 409, 415, 422),
    "patch": (*ALWAYS, 409, 412, 415, 422),
    "delete": (*ALWAYS, 409, 412, 422),
}


class Pages:
    """How a list is wrapped, for the document alone."""

    def get_paginated_response_schema(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        following = {
            "type": ["string", "null"],
            "format": "uri-reference",
            "description": "Where the next page is.",
            "example": None,
        }
        return {
            "type": "object",
            "required": ["results", "next"],
            "properties": {"results": schema, "next": following},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return []


class ResourceSchema(AutoSchema):
    """Describes a resource's parameters and examples."""

    method_mapping = {**AutoSchema.method_mapping, "patch": "update"}

    def get_tags(self) -> list[str]:
        return [getattr(self.view, "basename", None) or "api"]

    def get_override_parameters(self) -> Any:
        action = getattr(self.view, "action", "")
        given = {
            "list": lambda: list(_of_list(self.view)),
            "retrieve": lambda: [IF_NONE_MATCH, *_expand(self.view)],
            "partial_update": lambda: [IF_MATCH, REASON],
            "destroy": lambda: [IF_MATCH, REASON],
        }
        if action in given and hasattr(self.view, "model"):
            return given[action]()
        return [KEY, REASON] if self.method == "POST" else []

    def get_auth(self) -> list[dict[str, list[str]]]:
        """What everyone may read needs no token, but takes one."""
        found = [one for one in super().get_auth() if one]
        return [*found, {}] if self._is_public() else found

    def _is_public(self) -> bool:
        action, model = getattr(self.view, "action", ""), getattr(self.view, "model", None)
        if action in ("list", "retrieve") and model is not None:
            return ANYONE in RULES.of(model._meta.db_table, "view")
        return action in getattr(self.view, "public", ())

    def get_examples(self) -> list[OpenApiExample]:
        asked = self._request_example() if self.method in ("POST", "PATCH") else None
        told = self._answer_example() if self.method != "DELETE" else None
        made = (
            ("body", asked, {"request_only": True}),
            ("answer", told, {"response_only": True, "status_codes": FINE}),
        )
        return [OpenApiExample(name, value=value, **only) for name, value, only in made if value is not None]

    def _request_example(self) -> Any:
        view: Any = self.view
        asked = _class_of(self.get_request_serializer())
        if not issubclass(asked, Serializer):
            return None
        if self.method == "PATCH":
            return view.example_change or change_of(asked())
        own = view.example if view.action == "create" or self._is_of_row(asked) else None
        return own or getattr(asked, "example", None) or example_of(asked())

    def _answer_example(self) -> Any:
        view: Any = self.view
        given = self.get_response_serializers()
        found = [one for key, one in given.items() if key in FINE] if isinstance(given, dict) else [given]
        told: Any = _class_of(found[0]) if found else object
        if not issubclass(told, Serializer):
            return None
        made = answer_of(told())
        if not self._is_of_row(told):
            return made
        left_out = view.heavy if view.action == "list" else ()
        return {name: value for name, value in (made | view.example_answer).items() if name not in left_out}

    def _is_of_row(self, serializer: type[Serializer[Any]]) -> bool:
        """Whether it is of the rows of the view."""
        model = getattr(getattr(serializer, "Meta", None), "model", None)
        return model is not None and model is getattr(self.view, "model", None)

    def _is_list_view(self, serializer: Any = None) -> bool:
        return getattr(self.view, "action", "") == "list" and hasattr(self.view, "model")

    def _get_paginator(self) -> Any:
        return Pages() if hasattr(self.view, "model") else None


def _class_of(serializer: Any) -> Any:
    return serializer if isinstance(serializer, type) else type(serializer)


def _of_list(view: Any) -> Iterator[OpenApiParameter]:
    model = view.model
    names = paging.orderable(model)
    yield OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": paging.MOST, "default": paging.USUAL})
    yield OpenApiParameter("cursor", str, description="From `next` of the page before.")
    either = "|".join(sorted(names))
    yield OpenApiParameter(
        "ordering",
        {"type": "string", "pattern": f"^-?({either})(,-?({either}))*$"},
        description=f"Columns by comma, a minus for descending. Usually {','.join(view.order)}.",
    )
    yield OpenApiParameter(
        "scope", str, enum=["public"], description="What everyone may see, instead of your organizations' rows."
    )
    if filters.event_path(model):
        yield OpenApiParameter("event", OpenApiTypes.UUID, description="Rows of this event.")
    if view.search:
        text = {"type": "string", "pattern": filters.NO_NUL}
        yield OpenApiParameter("search", text, description=f"Words to find in {', '.join(view.search)}.")
    yield from _expand(view)
    for name, one in filters.filters_of(model).items():
        if name != "event":
            yield OpenApiParameter(name, dict(one.schema), style="form", explode=False)
    yield from _of_related(view)


def _of_related(view: Any) -> Iterator[OpenApiParameter]:
    """Those that ask for one value; the document would be twice as long with the rest."""
    for name, one in filters.related_filters(view.model, view.expand).items():
        if name == one.field:
            yield OpenApiParameter(name, dict(one.schema), description="Also __in, __gte and the like, as above.")


def _expand(view: Any) -> Iterator[OpenApiParameter]:
    names = (*view.expand, *(one.name for one in view.nested))
    if names:
        either = "|".join(names)
        yield OpenApiParameter(
            "expand",
            {"type": "string", "pattern": f"^({either})(,({either}))*$"},
            description="References to give as rows instead of ids, by comma.",
        )


def finish(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Postprocessing hook: errors everywhere, and no field that the reader's role may lack said to be there."""
    components = result.setdefault("components", {}).setdefault("schemas", {})
    for name, schema in components.items():
        if schema.get("description") in OURS:
            del schema["description"]
        if not name.endswith("Request") and "id" in schema.get("properties", {}):
            schema["required"] = ["id"]
        if name.endswith("Request"):
            schema["additionalProperties"] = False
            _say_texts(schema)
        for key, told in schema.get("properties", {}).items():
            if {} in told.get("oneOf", ()):  # any JSON, which null is as well
                schema["properties"][key] = {}
    components["Problem"] = PROBLEM
    for method, operation in _operations(result):
        _finish_operation(method, operation)
    for view in _views(generator):
        _say_expansions(view, components)
    return result


def _say_texts(schema: dict[str, Any]) -> None:
    """What a text may hold: no NUL, and not blanks alone where it must not be empty."""
    for told in schema.get("properties", {}).values():
        if told.get("type") == "string" and not told.keys() & {"enum", "format", "pattern"}:
            told["pattern"] = NOT_BLANK if told.get("minLength") else filters.NO_NUL


def _operations(result: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in result["paths"].values():
        yield from ((method, operation) for method, operation in path.items() if method in ERRORS)


def _finish_operation(method: str, operation: dict[str, Any]) -> None:
    if told := operation.get("description"):
        operation.setdefault("summary", told.partition("\n")[0])
    answer = {"content": {TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    for status in ERRORS[method]:
        operation["responses"].setdefault(str(status), {"description": HTTPStatus(status).phrase, **answer})
    if any(parameter["name"] == "If-None-Match" for parameter in operation.get("parameters", ())):
        operation["responses"]["304"] = {"description": "It is as you have it."}


def _views(generator: Any) -> Iterator[Any]:
    seen = {view.__class__ for _path, _regex, _method, view in generator._get_paths_and_endpoints()}
    return (view for view in seen if getattr(view, "model", None))


def _say_expansions(view: Any, components: dict[str, Any]) -> None:
    properties = components[view.model.__name__]["properties"]
    for name in view.expand:
        related = view.model._meta.get_field(name).related_model.__name__
        if related in components and name in properties:
            told = {"$ref": f"#/components/schemas/{related}"}
            null = [{"type": "null"}] if view.model._meta.get_field(name).null else []
            key = filters.kind_of(view.model._meta.get_field(name))
            properties[name] = {"oneOf": [dict(key.schema) if key else {}, told, *null]}
    for one in view.nested:
        if one.model.__name__ in components:
            told = {"$ref": f"#/components/schemas/{one.model.__name__}"}
            properties[one.name] = {"type": "array", "items": told, "description": "With `expand`."}


@cache
def document() -> bytes:
    """The whole document as JSON, made once a process."""
    return encode(SchemaGenerator().get_schema(request=None, public=True))  # type: ignore[no-untyped-call]
