"""Every registered admin page opens, for lists and for forms, with a row of every table in place."""

from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from factory.django import DjangoModelFactory

from apps.accounts import factories as accounts
from apps.accounts.models import User
from apps.catalog import factories as catalog
from apps.commands import factories as commands
from apps.course import factories as course
from apps.events import factories as events
from apps.integrations import factories as integrations
from apps.live import factories as live
from apps.penalties import factories as penalties
from apps.racelog import factories as racelog
from apps.safety import factories as safety
from apps.scoring import factories as scoring
from apps.timing import factories as timing

# A model without a table is a door to something else, and its own tests open it.
MODELS = [m for m in admin.site._registry if m.__module__.startswith("apps.") and m._meta.managed]
MODULES = (accounts, catalog, events, course, timing, penalties, racelog, scoring, live, integrations, safety, commands)
MADE_BY: list[Any] = [
    thing
    for module in MODULES
    for thing in vars(module).values()
    if isinstance(thing, type) and issubclass(thing, DjangoModelFactory)
]
FACTORIES = {factory._meta.model: factory for factory in MADE_BY}


@pytest.fixture
def office(client: Client, db: None) -> Client:
    client.force_login(User.objects.create_superuser("admin@example.org", "x"))
    return client


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m._meta.label)
def test_list_and_form_open(office: Client, model: type[Model]) -> None:
    row = FACTORIES[model]()
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    assert office.get(reverse(f"{name}_changelist"), {"q": "3"}).status_code == 200
    assert office.get(reverse(f"{name}_changelist")).status_code == 200
    assert office.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200


def test_readings_cannot_be_edited_and_evidence_cannot_be_deleted(office: Client) -> None:
    crossing, record = timing.EntryCrossingFactory(), timing.TimingRecordFactory()
    assert office.get(reverse("admin:timing_entrycrossing_add")).status_code == 403
    assert office.post(reverse("admin:timing_entrycrossing_delete", args=[crossing.pk])).status_code == 403
    assert office.post(reverse("admin:timing_timingrecord_delete", args=[record.pk])).status_code == 403
