"""Rows for tests."""

from typing import Any

import factory
from factory.django import DjangoModelFactory

from apps.accounts.models import Comment, Organization, OrganizationUser, Role, SavedView, User


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User

    email = factory.Sequence(lambda n: f"user{n}@example.org")
    first_name = "Arta"
    last_name = factory.Sequence(lambda n: f"Hoxha{n}")

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **fields: Any) -> User:
        return model_class.objects.create_user(*args, **fields)


class OrganizationFactory(DjangoModelFactory[Organization]):
    class Meta:
        model = Organization

    name = factory.Sequence(lambda n: f"Club {n}")
    slug = factory.Sequence(lambda n: f"club-{n}")


class OrganizationUserFactory(DjangoModelFactory[OrganizationUser]):
    class Meta:
        model = OrganizationUser

    organization = factory.SubFactory(OrganizationFactory)
    user = factory.SubFactory(UserFactory)
    role = Role.VIEWER


class SavedViewFactory(DjangoModelFactory[SavedView]):
    class Meta:
        model = SavedView

    organization = factory.SubFactory(OrganizationFactory)
    author = factory.SubFactory(UserFactory)
    table = "entries"
    name = factory.Sequence(lambda n: f"View {n}")


class CommentFactory(DjangoModelFactory[Comment]):
    """`table` and `row` are the caller's to say."""

    class Meta:
        model = Comment

    organization = factory.SubFactory(OrganizationFactory)
    author = factory.SubFactory(UserFactory)
    text = "seen at CP 2"
