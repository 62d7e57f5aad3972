from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.accounts.admin_policy import PolicyAdmin, PolicyInline
from apps.accounts.models import Organization, OrganizationUser, User
from apps.accounts.services import memberships_changed


class UserCreation(AdminUserCreationForm[User]):
    class Meta:
        model = User
        fields = ("email",)


class UserChange(UserChangeForm[User]):
    class Meta:
        model = User
        fields = "__all__"


class MembershipInline(PolicyInline[OrganizationUser, User]):
    model = OrganizationUser
    extra = 0
    autocomplete_fields = ("organization", "user")


class Memberships:
    """Saves memberships of a form, and tells the mirror of all users they were or are about."""

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        before = _users_of(formset.queryset.all()) if formset.model is OrganizationUser else set()
        super().save_formset(request, form, formset, change)  # type: ignore[misc]
        if formset.model is OrganizationUser:
            memberships_changed(
                before | {row.user_id for row in formset.new_objects} | _users_of(formset.queryset.all())
            )


def _users_of(memberships: Any) -> set[UUID]:
    return set(memberships.values_list("user_id", flat=True))


@admin.register(User)
class UserAdmin(Memberships, PolicyAdmin[User], DjangoUserAdmin[User]):
    form = UserChange
    add_form = UserCreation
    ordering = ("email",)
    list_display = ("email", "first_name", "last_name", "nationality", "is_staff", "is_active")
    search_fields = ("email", "first_name", "last_name")
    inlines = (MembershipInline,)
    fieldsets = (
        (None, {"fields": ("email", "password", "language")}),
        (_("Person"), {"fields": ("first_name", "last_name", "phone", "birth_date", "nationality")}),
        (_("Rights"), {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)


@admin.register(Organization)
class OrganizationAdmin(PolicyAdmin[Organization]):
    """Its members are a list of their own: hundreds are more than one form can carry."""

    list_display = ("name", "slug", "members_link")
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}

    @admin.display(description=_("members"))
    def members_link(self, row: Organization) -> SafeString:
        address = reverse("admin:accounts_organizationuser_changelist", query={"organization__id__exact": str(row.pk)})
        return format_html('<a href="{}">{}</a>', address, _("Members and roles"))


@admin.register(OrganizationUser)
class MembershipAdmin(PolicyAdmin[OrganizationUser]):
    list_display = ("user", "organization", "role", "suspended")
    list_select_related = ("user", "organization")
    list_filter = ("organization", "role", "suspended")
    search_fields = ("user__email", "user__first_name", "user__last_name")
    autocomplete_fields = ("organization", "user")
    ordering = ("organization__name", "user__email")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        before = set(OrganizationUser.objects.filter(pk=obj.pk).values_list("user_id", flat=True))
        super().save_model(request, obj, form, change)
        memberships_changed(before | {obj.user_id})

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        memberships_changed({obj.user_id})

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        users = _users_of(queryset)
        super().delete_queryset(request, queryset)
        memberships_changed(users)
