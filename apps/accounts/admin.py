from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.http import HttpRequest
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
        (None, {"fields": ("email", "password")}),
        (_("Person"), {"fields": ("first_name", "last_name", "phone", "birth_date", "nationality")}),
        (_("Rights"), {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)


@admin.register(Organization)
class OrganizationAdmin(Memberships, PolicyAdmin[Organization]):
    list_display = ("name", "slug")
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    inlines = (MembershipInline,)
