"""The rows a user may see, as a condition on any queryset of a table the policy knows."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import reduce
from operator import or_
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.db.models import DateTimeField, DurationField, ExpressionWrapper, F, Model, Q, QuerySet, Value
from django.utils import timezone

from apps.accounts import policy_rules
from apps.accounts.places import resource_of
from apps.accounts.policy_rules import Rule
from apps.accounts.policy_table import ANYONE, SCOPES, Scope
from apps.accounts.rights import AnyUser, Rights, rights_of

M = TypeVar("M", bound=Model)


def visible(user: AnyUser, queryset: QuerySet[M], *, public: bool = True) -> QuerySet[M]:
    """`queryset` without what `user` may not see. No query of its own but the one for the user's rights.

    Without `public` only rows of the user's own organizations, as an office wants them. Rows are found by joins to
    the organization, never by lists of their ids, and come once each.
    """
    rights = rights_of(user)
    if rights.superuser:
        return queryset
    resource = resource_of(queryset.model)
    rule = policy_rules.RULES.of(resource, "view")
    look = _Look(queryset.model, SCOPES[resource], rights)
    parts = look.by_role(rule)
    if public and ANYONE in rule:
        parts.append(look.marked(rule[ANYONE]))
    return queryset.filter(reduce(or_, parts)) if parts else queryset.none()


def whole_organizations(user: AnyUser, model: type[Model]) -> tuple[str, tuple[UUID, ...]] | None:
    """What `visible` without `public` comes to, where it is every row of these organizations: a lookup and their ids.

    None where it is not that simple: a condition, a shared row, nobody in particular, a superuser.
    """
    rights, resource = rights_of(user), resource_of(model)
    rule, scope = policy_rules.RULES.of(resource, "view"), SCOPES[resource]
    homes = tuple(id for id, role in rights.roles.items() if role in rule)
    marked = any(rule[rights.roles[id]] for id in homes)
    if rights.superuser or not homes or marked or scope.shared or len(scope.organizations) != 1:
        return None
    return f"{scope.organizations[0]}__in", homes


class _Look:
    """The conditions of the table as Q objects, for one table and one user."""

    def __init__(self, model: type[Model], scope: Scope, rights: Rights) -> None:
        self._model = model
        self._scope = scope
        self._rights = rights

    def by_role(self, rule: Rule) -> list[Q]:
        """One condition for each mark among the user's roles."""
        homes: dict[str, list[UUID]] = {}
        for organization, role in self._rights.roles.items():
            if role in rule:
                homes.setdefault(rule[role], []).append(organization)
        return [self._of(organizations) & self.marked(mark) for mark, organizations in homes.items()]

    def marked(self, mark: str) -> Q:
        conditions: dict[str, Callable[[], Q]] = {
            "": Q,
            "!": self._active,
            "+": self._own,
            "*": self._published,
            "^": lambda: self._told() | self._own(),
            "~": lambda: self._public() & self._published() & self._told(),
        }
        return conditions[mark]()

    def _of(self, organizations: list[UUID]) -> Q:
        """Those of these organizations; what belongs to none is for all who have a role."""
        paths = self._scope.organizations
        return self._any(paths, "__in", organizations) if paths else Q()

    def _public(self) -> Q:
        return self._any([self._scope.event], "__is_public", True) if self._scope.event else _nothing()

    def _own(self) -> Q:
        crew = [self._scope.crew] if self._scope.crew else []
        person = [self._scope.person] if self._scope.person else []
        of_crew = self._any(crew, "__in", list(self._rights.entries)) if crew else _nothing()
        return of_crew | (self._any(person, "", self._rights.user_id) if person else _nothing())

    def _published(self) -> Q:
        return Q(self._scope.published) if self._scope.published else Q()

    def _told(self) -> Q:
        since, delay = self._scope.told, f"{_prefix(self._scope.event)}public_delay_seconds"
        if not since:
            return Q()
        late = ExpressionWrapper(F(delay) * Value(timedelta(seconds=1)), DurationField())
        horizon = ExpressionWrapper(Value(timezone.now()) - late, DateTimeField())
        return Q(**{delay: 0}) | Q(**{f"{since}__isnull": True}) | Q(**{f"{since}__lte": horizon})

    def _active(self) -> Q:
        margin, now = timedelta(hours=settings.EVENT_ACTIVE_MARGIN_HOURS), timezone.now()
        path = _prefix(self._scope.event)
        return Q(**{f"{path}starts_at__lte": now + margin, f"{path}ends_at__gte": now - margin})

    def _any(self, paths: Iterable[str], lookup: str, value: Any) -> Q:
        """Rows with `value` at the end of one of the paths. Many-valued ones are looked up apart: no row twice."""
        if not self._scope.shared:
            return reduce(or_, (Q(**{_joined(path, lookup): value}) for path in paths))
        found = self._model._default_manager.order_by()
        return reduce(or_, (Q(pk__in=found.filter(**{_joined(path, lookup): value}).values("pk")) for path in paths))


def _nothing() -> Q:
    return Q(pk__in=[])


def _prefix(path: str) -> str:
    return "" if path == "pk" else f"{path}__"


def _joined(path: str, lookup: str) -> str:
    # The event of an event is itself: "pk__is_public" is no lookup.
    return lookup[2:] if path == "pk" and lookup == "__is_public" else path + lookup
