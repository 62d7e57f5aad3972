"""Documents of the answers of `apps.live.api`."""

from typing import Any

from rest_framework import serializers


class ExpectedShown(serializers.Serializer[Any]):
    """Of a crew inside a stage; the last four null before its first control there. Times in ms."""

    entryId = serializers.UUIDField()
    raceNumber = serializers.IntegerField()
    stageId = serializers.UUIDField()
    stage = serializers.CharField()
    control = serializers.CharField(allow_null=True)
    timeMs = serializers.IntegerField(allow_null=True)
    rank = serializers.IntegerField(allow_null=True)
    classRank = serializers.IntegerField(allow_null=True)


class Expected(serializers.Serializer[Any]):
    results = ExpectedShown(many=True)
