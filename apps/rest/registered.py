"""Rows that belong to nobody by themselves: made and registered in one go, with an organization that says so."""

from functools import cache
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.utils.translation import gettext as _

from apps.accounts import policy
from apps.accounts.models import Organization
from apps.accounts.rights import rights_of
from apps.rest.problems import Unfit
from apps.rest.serializers import Reference, RowSerializer
from apps.rest.views import ResourceViewSet


class Registered(ResourceViewSet):
    """The body may name the organization; it must, where the user may register with several."""

    asked: ClassVar[type[Model]]  # what they must be allowed to add there without a condition

    def get_serializer_class(self) -> type[RowSerializer]:
        base = super().get_serializer_class()
        return _with_organization(base) if getattr(self, "action", "") == "create" else base

    def make(self, values: dict[str, Any]) -> Any:
        home = self._home(values.pop("organization", None))
        row = self.make_row(values)
        self.register(home, row)
        return row

    def make_row(self, values: dict[str, Any]) -> Any:
        return super().make(values)

    def register(self, home: Organization, row: Any) -> None:
        """Write what ties the row to the organization."""
        raise NotImplementedError

    def _home(self, named: Organization | None) -> Organization:
        """Raises PermissionDenied for another's organization, Unfit where none is named of several."""
        policy.require(self.user, "add", self.model)
        places = policy.organizations_where(self.user, "add", self.asked)
        if named is not None:
            if named.pk not in places and not rights_of(self.user).superuser:
                raise PermissionDenied(_("You may not register it with %(organization)s.") % {"organization": named})
            return named
        if len(places) != 1:
            raise Unfit({"organization": [_("Say whose it is.")]})
        return Organization.objects.get(pk=next(iter(places)))


@cache
def _with_organization(base: type[RowSerializer]) -> type[RowSerializer]:
    field = Reference(queryset=Organization.objects.all(), required=False, write_only=True)
    meta = type("Meta", (base.Meta,), {"fields": [*base.Meta.fields, "organization"]})
    return type(base.__name__, (base,), {"Meta": meta, "organization": field})
