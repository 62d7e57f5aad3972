"""Who may see and do what: the one place every door asks (design §1, rule 5).

The table is in `policy_table`; this module answers from it. Doors use

    may(user, "change", entry)                  a row: saved, or not yet
    may(user, "add", Entry, event=event)        a kind of rows in an event
    may(user, "add", EntryCrew, inside=entry)   a kind of rows that hang on another row
    may(user, "decide", event)                  an act
    may(user, "view", "positions", event=event) what is no model
    visible(user, Entry.objects.all())          the rows a user may see, for lists
    sees_all(user, Entry, event)                whether that is every such row of an event
    fields(user, entry)                         the names a user may read of a row
    writable(user, entry)                       the names a user may set
    strays(user, entry)                         references that lead out of the organization, before a save
    subscribable(user, topic, event)            a topic of the live channel
"""

from collections.abc import Callable
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.utils.translation import gettext as _

from apps.accounts import policy_rules
from apps.accounts.places import OwnedEvent, Place, place_of, resource_of
from apps.accounts.policy_queries import visible as visible
from apps.accounts.policy_queries import whole_organizations as whole_organizations
from apps.accounts.policy_rules import LEVELS, Rule, readable, words
from apps.accounts.policy_table import ANYONE, COLUMNS, GUARDED, READS, SCOPES, TOPICS
from apps.accounts.rights import NOBODY, AnyUser, Rights, rights_of

Target = Model | type[Model] | str

CONDITIONS: dict[str, Callable[[Place, Rights], bool]] = {
    "": lambda place, rights: True,
    "!": lambda place, rights: place.active,
    "+": lambda place, rights: place.belongs_to(rights),
    "*": lambda place, rights: place.published,
    "^": lambda place, rights: place.told or place.belongs_to(rights),
    "~": lambda place, rights: place.public and place.published and place.told,
}


def may(
    user: AnyUser, action: str, target: Target, *, event: OwnedEvent | None = None, inside: Model | None = None
) -> bool:
    """Whether `user` may do `action` to a row, or to rows of a kind in `event`, or that hang on the row `inside`.

    Of a kind without either it says whether there may be any such row at all: for menus, not for a decision.
    A changed row is asked as it will be; ask for it as it was as well. Raises LookupError for a resource or an
    action the table does not have.
    """
    rights = rights_of(user)
    rule = policy_rules.RULES.of(resource_of(target), action)
    if rights.superuser:
        return True
    place = place_of(target, event, inside)
    if place is None or _is_new_and_shared(action, target):
        return ANYONE in rule or _somewhere(rights, rule)
    return _allows(rights, rule, place, every=action != "view")


def require(user: AnyUser, action: str, target: Target, *, event: OwnedEvent | None = None) -> None:
    """Raises PermissionDenied, saying what was refused, where `may` is False."""
    if not may(user, action, target, event=event):
        what = resource_of(target).replace("_", " ")
        words = {"action": action.replace("_", " "), "what": what}
        raise PermissionDenied(_("You may not %(action)s: %(what)s.") % words)


def holds(user: AnyUser, action: str, target: Target) -> bool:
    """Whether a role of `user` grants the action in some organization, perhaps under a condition."""
    rights = rights_of(user)
    return rights.superuser or _somewhere(rights, policy_rules.RULES.of(resource_of(target), action))


def organizations_where(user: AnyUser, action: str, target: Target) -> frozenset[UUID]:
    """The organizations in which a role of `user` grants the action without condition."""
    rule = policy_rules.RULES.of(resource_of(target), action)
    return frozenset(id for id, role in rights_of(user).roles.items() if rule.get(role) == "")


def sees_all(user: AnyUser, target: Target, event: OwnedEvent) -> bool:
    """Whether every row of this kind in `event` is the user's to see, so that none of them need be asked for.

    False also where it is not known without looking at them.
    """
    rights = rights_of(user)
    mark = policy_rules.RULES.of(resource_of(target), "view").get(rights.roles.get(event.organization_id, ""))
    return rights.superuser or mark == ""


def fields(
    user: AnyUser, target: Target, *, event: OwnedEvent | None = None, inside: Model | None = None
) -> frozenset[str]:
    """The names of the fields `user` may read of a row, or of every row of a kind in `event` or `inside` another.

    Of a kind without either: what may be read of every row in each of the user's organizations. A secret field
    is in no answer, for superusers neither. Empty where the row may not be seen.
    """
    resource = resource_of(target)
    rule = policy_rules.RULES.of(resource, "view")
    level = _level(rights_of(user), rule, place_of(target, event, inside))
    return readable(resource, level, _names(target)) if level else frozenset()


def writable(user: AnyUser, target: Target, *, event: OwnedEvent | None = None) -> frozenset[str]:
    """Of the fields a user may read, those that are not guarded: what a form or a PATCH may set."""
    found = fields(user, target, event=event)
    return found if rights_of(user).superuser else found - words(GUARDED, resource_of(target))


def strays(user: AnyUser, row: Model) -> dict[str, str]:
    """References of a row, about to be written, that lead where they must not: field → what is wrong.

    A referenced row must belong to the organization of the row itself; one that belongs to several, or to none,
    must be one the user may see. So nothing can be moved to, or hung on, another organization.
    """
    own = place_of(row)
    home = (own.organizations if own and not SCOPES[resource_of(row)].shared else None) or frozenset()
    checks = {field.name: field for field in row._meta.concrete_fields if field.is_relation}
    return {
        name: _("It belongs to another organization.")
        for name, field in checks.items()
        if getattr(row, field.attname) is not None and _strays(user, getattr(row, name), home)
    }


def subscribable(user: AnyUser, topic: str, event: OwnedEvent) -> bool:
    """Whether `user` may follow a topic of the live channel about `event`; False for a topic that is none."""
    resource = TOPICS.get(topic.partition(":")[0])
    return resource is not None and may(user, "view", resource, event=event)


def may_view_event(user: AnyUser, event: OwnedEvent) -> bool:
    """A public event is everybody's; any other belongs to its organization's members and superusers."""
    return may(user, "view", "events", event=event)


def _strays(user: AnyUser, target: Model, home: frozenset[UUID]) -> bool:
    scope = SCOPES.get(target._meta.db_table)
    if scope is None or not scope.organizations:
        return False
    if target.pk == rights_of(user).user_id:
        return False
    place = place_of(target)
    if scope.shared or place is None or not home:
        return not visible(user, type(target)._default_manager.filter(pk=target.pk), public=False).exists()
    return not (place.organizations or frozenset()) & home


def _is_new_and_shared(action: str, target: Target) -> bool:
    """A new vehicle, device or user is nobody's until it is registered."""
    return action == "add" and isinstance(target, Model) and SCOPES[resource_of(target)].shared


def _somewhere(rights: Rights, rule: Rule) -> bool:
    return any(role in rule for role in rights.roles.values())


def _allows(rights: Rights, rule: Rule, place: Place, *, every: bool) -> bool:
    if ANYONE in rule and _holds(rule[ANYONE], place, NOBODY):
        return True
    marks = [rule.get(role) for role in _roles(rights, place)]
    granted = [mark is not None and _holds(mark, place, rights) for mark in marks]
    if "+" in marks and place.belongs_to(rights):
        return True  # what is one's own needs no other organization's consent
    return bool(granted) and (all if every else any)(granted)


def _roles(rights: Rights, place: Place) -> list[str]:
    """The user's role, or "", in each organization of a place; what is in none is everyone's who has a role."""
    if place.organizations is None:
        return list(rights.roles.values())
    return [rights.roles.get(id, "") for id in place.organizations]


def _holds(mark: str, place: Place, rights: Rights) -> bool:
    return CONDITIONS[mark](place, rights)


def _level(rights: Rights, rule: Rule, place: Place | None) -> str | None:
    """How much may be read at a place; of no place in particular, what may be read in the least of them."""
    if rights.superuser:
        return "personal"
    if place is None:
        levels = [READS[role] for role in rights.roles.values() if role in rule]
        return min(levels, key=LEVELS.index) if levels else "public" if ANYONE in rule else None
    if not _allows(rights, rule, place, every=False):
        return None
    roles = [role for role in _roles(rights, place) if role in rule and _holds(rule[role], place, rights)]
    level = max((READS[role] for role in roles), key=LEVELS.index, default="public")
    return "personal" if roles and level != "personal" and place.belongs_to(rights) else level


def _names(target: Target) -> frozenset[str]:
    if isinstance(target, str):
        return words(COLUMNS, target)
    return frozenset(field.name for field in (*target._meta.concrete_fields, *target._meta.many_to_many))
