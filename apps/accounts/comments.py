"""Comments on a row: what officials tell each other about it. Written once, in the audit log, never edited."""

from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from apps.accounts import policy
from apps.accounts.models import Comment, User
from apps.accounts.places import place_of
from apps.accounts.rights import rights_of


def comments_of(user: User, row: Model) -> QuerySet[Comment]:
    """The comments on a row that are for this user, oldest first."""
    rows = Comment.objects.filter(table=row._meta.db_table, row=str(row.pk)).select_related("author")
    return policy.visible(user, rows, public=False)


def comment(user: User, row: Model, text: str) -> Comment:
    """Write a comment on a row the user may see. Raises PermissionDenied or ValidationError."""
    place = place_of(row)
    homes = policy.organizations_where(user, "add", Comment)
    owners = homes if place is None or place.organizations is None else homes & place.organizations
    if not owners or not policy.may(user, "view", row):
        raise PermissionDenied(_("You may not comment on this."))
    home = next(one for one in rights_of(user).roles if one in owners)
    made = Comment(
        organization_id=home,
        author=user,
        table=row._meta.db_table,
        row=str(row.pk),
        text=text.replace("\r", "").strip(),
    )
    made.full_clean()
    made.save()
    return made
