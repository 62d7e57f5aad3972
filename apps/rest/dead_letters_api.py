"""Dead letters over REST, for who holds `telemetry.replay_dead_letters`, as in the admin: that is no role."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import redis
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request

from apps.common import stream
from apps.common.letters import Act
from apps.rest import writing
from apps.rest.answers import answer
from apps.rest.problems import conflicts
from apps.rest.serializers import Body, Text
from apps.rest.views import ApiView
from apps.telemetry import dead_letters
from apps.telemetry.dead_letters import Filter, LetterError, Order, Outcome
from apps.telemetry.models import REPLAY_DEAD_LETTERS

SHOWN, LOOK_AT = 100, 5000
MOST_IDS = 1000


class RedisAway(APIException):
    status_code = 503
    default_detail = gettext_lazy("Redis cannot be reached: nothing was done.")


class Which(Body):
    """Ids, or a filter: of an empty body nothing is done."""

    ids = serializers.ListField(child=Text(max_length=50), required=False, min_length=1, max_length=MOST_IDS)
    stream = Text(max_length=100, required=False, help_text="The one they were put aside from.")
    error = Text(max_length=500, required=False, help_text="What the error contains.")
    device = Text(max_length=50, required=False)

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if not given.keys() & {"ids", "stream", "error", "device"}:
            raise serializers.ValidationError(_("Say which: ids, or a stream, an error or a device."))
        return given


class Dropped(Which):
    reason = Text(max_length=2000)


class LetterList(serializers.Serializer[Any]):
    results = serializers.ListField(child=serializers.DictField(), help_text="id, stream, error, device, fields…")


class Done(serializers.Serializer[Any]):
    done = serializers.IntegerField()
    bare = serializers.IntegerField(help_text="Left where they are: they hold no field that could be sent again.")


class DeadLetters(ApiView):
    """Records that could not be worked off."""

    serializer_class = LetterList
    FILTERS = [
        OpenApiParameter(name, {"type": "string", "maxLength": 100}, description=words)
        for name, words in (("stream", "Put aside from it."), ("error", "Contains this."), ("device", "Of this one."))
    ]

    @extend_schema(parameters=FILTERS, responses={200: LetterList}, operation_id="dead_letters_list")
    def list(self, request: Request) -> HttpResponse:
        """The newest hundred."""
        self._refuse()
        which = _filter(request.query_params)
        with _redis() as client:
            page = dead_letters.page(client, which, None, SHOWN, LOOK_AT)
        return answer({"results": [dead_letters.as_json(letter) for letter in page.letters]})

    @extend_schema(request=Which, responses={200: Done}, operation_id="dead_letters_replay")
    @action(detail=False, methods=["post"])
    def replay(self, request: Request) -> HttpResponse:
        """Send them again, each exactly once."""
        self._refuse()
        return self._settle(Act.REPLAY, self.given(Which))

    @extend_schema(request=Dropped, responses={200: Done}, operation_id="dead_letters_drop")
    @action(detail=False, methods=["post"])
    def drop(self, request: Request) -> HttpResponse:
        """Give them up, for a reason; the log of the process keeps each whole."""
        self._refuse()
        return self._settle(Act.DROP, self.given(Dropped))

    def _settle(self, act: Act, given: dict[str, Any]) -> HttpResponse:
        order = Order(act, writing.person(self.user).get_username(), given.get("reason", ""))
        with _redis() as client, conflicts(LetterError):
            outcome = _settled(client, given, order)
        return answer({"done": outcome.done, "bare": outcome.bare})

    def _refuse(self) -> None:
        if not self.user.has_perm(REPLAY_DEAD_LETTERS):
            raise PermissionDenied(_("Dead letters are for who looks after the installation."))


def _settled(client: redis.Redis, given: dict[str, Any], order: Order) -> Outcome:
    which = _filter(given)
    if "ids" in given:
        return dead_letters.settle(client, dead_letters.find(client, given["ids"], which.streams), order)
    return dead_letters.settle_all(client, which, order)


def _filter(given: Any) -> Filter:
    """Raises ValidationError for a stream there is not."""
    try:
        streams = dead_letters.streams_of(given.get("stream", ""))
    except LetterError as error:
        raise ValidationError({"stream": [str(error)]}) from error
    return Filter(streams, given.get("error", ""), given.get("device", ""))


@contextmanager
def _redis() -> Iterator[redis.Redis]:
    try:
        with closing(stream.connect(settings.REDIS_URL)) as client:
            yield client
    except redis.RedisError as error:
        raise RedisAway from error


RESOURCES = {"dead_letters": DeadLetters}
