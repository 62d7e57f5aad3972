"""Users, organizations and who belongs to which (contracts §3)."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from apps.common.base import Row


class UserManager(BaseUserManager["User"]):
    """Makes users by e-mail, the login of TRM."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        if not email:
            raise ValueError("A user needs an e-mail address: it is the login")
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(Row, AbstractBaseUser, PermissionsMixin):
    """A person: official, crew member or spectator with an account. Logs in by e-mail."""

    email = models.EmailField(_("e-mail"), unique=True)
    first_name = models.CharField(_("first name"), max_length=150, blank=True)
    last_name = models.CharField(_("last name"), max_length=150, blank=True)
    phone = models.CharField(_("phone"), max_length=32, blank=True)
    birth_date = models.DateField(_("birth date"), null=True, blank=True)
    nationality = models.CharField(
        _("nationality"),
        max_length=2,
        blank=True,
        validators=[RegexValidator(r"^[A-Z]{2}$", _("Two capital letters, ISO 3166-1 alpha-2."))],
    )
    language = models.CharField(
        _("language"),
        max_length=8,
        blank=True,
        db_default="",
        choices=settings.LANGUAGES,
        help_text=_("Of the pages, wherever this account signs in. Empty: as the browser asks."),
    )
    is_staff = models.BooleanField(_("may enter the admin"), default=False)
    is_active = models.BooleanField(_("active"), default=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        db_table = "users"
        ordering = ("email",)
        constraints = [
            models.CheckConstraint(
                condition=models.Q(nationality="") | models.Q(nationality__regex=r"^[A-Z]{2}$"),
                name="users_nationality_alpha2",
            )
        ]

    def __str__(self) -> str:
        # Shown wherever a row names a person: the whole address is not for everyone.
        return self.get_full_name() or self.email.partition("@")[0]

    def get_full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class Organization(Row):
    """A club or promoter: the tenant everything else belongs to."""

    name = models.CharField(_("name"), max_length=200)
    slug = models.SlugField(_("slug"), unique=True)
    members = models.ManyToManyField(User, through="OrganizationUser", related_name="organizations")

    class Meta:
        db_table = "organizations"
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class OrganizationUserPermission(UserObjectPermissionBase):
    """django-guardian: what a user may in an organization beside the roles. TRM writes none."""

    content_object = models.ForeignKey(Organization, models.CASCADE)

    class Meta(UserObjectPermissionBase.Meta):
        db_table = "organization_user_permissions"


class OrganizationGroupPermission(GroupObjectPermissionBase):
    """django-guardian: what the group of a role may in its organization, a mirror of the policy (`services`)."""

    content_object = models.ForeignKey(Organization, models.CASCADE)

    class Meta(GroupObjectPermissionBase.Meta):
        db_table = "organization_group_permissions"


class Role(models.TextChoices):
    ORG_ADMIN = "org-admin", _("organization admin")
    RACE_DIRECTOR = "race-director", _("race director")
    MARSHAL = "marshal", _("marshal")
    TIMEKEEPER = "timekeeper", _("timekeeper")
    PARTICIPANT = "participant", _("participant")
    VIEWER = "viewer", _("viewer")


class OrganizationUser(Row):
    """The one role a user has in an organization."""

    organization = models.ForeignKey(Organization, models.RESTRICT, related_name="memberships")
    user = models.ForeignKey(User, models.RESTRICT, related_name="memberships")
    role = models.CharField(_("role"), max_length=20, choices=Role.choices, default=Role.VIEWER)
    suspended = models.BooleanField(
        _("suspended"),
        default=False,
        db_default=False,
        help_text=_("All rights in this organization end at once, and can come back."),
    )

    class Meta:
        db_table = "organization_users"
        verbose_name = _("membership")
        verbose_name_plural = _("members and roles")
        constraints = [
            models.UniqueConstraint(fields=("organization", "user"), name="organization_users_once"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="organization_users_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()}"


class Audience(models.TextChoices):
    ME = "me", _("only me")
    ROLE = "role", _("a role")
    ALL = "all", _("everybody")


class SavedView(Row):
    """A list of the admin as somebody arranged it: filter, columns and sort as the `query` of its address."""

    organization = models.ForeignKey(Organization, models.RESTRICT, related_name="saved_views")
    author = models.ForeignKey(User, models.RESTRICT, related_name="saved_views")
    table = models.CharField(_("list"), max_length=63)
    name = models.CharField(_("name"), max_length=80)
    query = models.TextField(_("query"), blank=True)
    audience = models.CharField(_("for"), max_length=4, choices=Audience.choices, default=Audience.ME)
    role = models.CharField(_("role"), max_length=20, choices=Role.choices, blank=True)

    class Meta:
        db_table = "saved_views"
        ordering = ("name", "id")
        constraints = [
            models.CheckConstraint(condition=models.Q(audience__in=Audience.values), name="saved_views_audience_known"),
            models.CheckConstraint(
                condition=models.Q(audience="role", role__in=Role.values)
                | ~models.Q(audience="role") & models.Q(role=""),
                name="saved_views_role_when_for_one",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Comment(Row):
    """What somebody said about a row, of whatever table. Never edited; another comment follows."""

    organization = models.ForeignKey(Organization, models.RESTRICT, related_name="comments")
    author = models.ForeignKey(User, models.RESTRICT, related_name="comments")
    table = models.CharField(_("table"), max_length=63)
    row = models.CharField(_("row"), max_length=64)
    text = models.TextField(_("comment"), max_length=2000)

    class Meta:
        db_table = "comments"
        ordering = ("created_at", "id")
        indexes = [models.Index(fields=("table", "row", "created_at"), name="comments_of_a_row")]
        constraints = [models.CheckConstraint(condition=~models.Q(text=""), name="comments_say_something")]

    def __str__(self) -> str:
        return f"{self.author}: {self.text[:60]}"
