"""The admin's part of `apps.course.retroactive`: what may not be edited may not be deleted either."""

from typing import Any, TypeVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _

from apps.course.retroactive import NotBackwards, begun_stages

M = TypeVar("M", bound=NotBackwards)


class NotBackwardsAdmin(admin.ModelAdmin[M]):
    """For rows with `retroactive`: the page that asks whether to delete names the stages that have begun."""

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, Any, Any]:
        to_delete, counts, permissions, protected = super().get_deleted_objects(objs, request)
        text = _("%(row)s, as it is not retroactive and has begun: %(stages)s")
        kept = [text % {"row": row, "stages": stages} for row in objs if (stages := begun_stages(row))]
        return to_delete, counts, permissions, [*protected, *kept]
