"""Every role x resource x action x own or other organization x state of the event, at every door."""

from collections.abc import Iterator
from copy import deepcopy

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import transaction
from pytest_django.plugin import DjangoDbBlocker

from apps.accounts import policy_rules, policy_table
from apps.accounts.admin_policy import PolicyAdmin, PolicyInline
from apps.accounts.rights import remembering
from tests import policy_world
from tests.policy_doors import ACTS, DOORS, RESOURCES, Door, cases, mistakes
from tests.policy_world import ROLES, World

pytestmark = pytest.mark.django_db  # what a door writes ends with its test; the world stays

DOOR_NAMES = {door.name: door for door in DOORS}
# What has no Django model, and no table a door could read.
WITHOUT_MODEL = {"positions", "dry_runs", "dead_letters"}


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """Made once, around the transactions of the tests."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield policy_world.build()
        transaction.set_rollback(True)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_the_door_does_what_the_table_says(door: Door, role: str, world: World) -> None:
    wrong, count = [], 0
    for resource in (*RESOURCES, ""):
        with remembering():
            found, answers = mistakes(door, world, role, resource)
        wrong += found
        count += answers
    assert not wrong, "\n".join(wrong)
    assert count or (door.name, role) == ("admin", "anyone")


def test_there_are_more_than_a_thousand_cases() -> None:
    """Nobody makes the matrix green by emptying it."""
    assert sum(1 for role in ROLES for resource in (*RESOURCES, "") for _case in cases(role, resource)) > 5000


@pytest.mark.parametrize(
    ("door", "hole"),
    [
        ("may", ("viewer", "entries", "change")),
        ("may", ("marshal", "timing_records", "add")),
        ("visible", ("anyone", "entry_crossings", "view")),
        ("visible", ("participant", "timing_records", "view")),
        ("fields", ("viewer", "devices", "view")),
        ("admin", ("viewer", "entries", "delete")),
        ("admin", ("timekeeper", "penalty_formulas", "change")),
        ("admin", ("marshal", "timing_records", "add")),
        ("rest", ("viewer", "entries", "delete")),
        ("rest", ("participant", "devices", "view")),
        ("rest", ("timekeeper", "classes", "change")),
        ("rest", ("marshal", "entries", "add")),
        ("rest", ("timekeeper", "", "decide")),
        ("rest", ("viewer", "", "rescore")),
        ("websocket", ("anyone", "positions", "view")),
        ("websocket", ("anyone", "timing_records", "view")),
        ("websocket", ("viewer", "alerts", "view")),
        ("documents", ("participant", "decisions", "view")),
        ("documents", ("anyone", "start_lists", "view")),
        ("rest", ("timekeeper", "", "manage_members")),
        ("rest", ("viewer", "", "export")),
        ("rest", ("participant", "", "note")),
    ],
)
def test_a_hole_opened_on_purpose_is_caught(
    door: str, hole: tuple[str, str, str], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    role, resource, action = hole
    holed = deepcopy(policy_rules.RULES)
    rule = holed.resources.setdefault((resource, action), {}) if resource else holed.acts[action]
    rule[role] = ""
    monkeypatch.setattr(policy_rules, "RULES", holed)
    wrong, _count = mistakes(DOOR_NAMES[door], world, role, resource)
    assert any(f"{role} {action} {resource}" in line for line in wrong)


def test_a_door_that_forgets_the_policy_is_caught(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PolicyAdmin, "_may", lambda self, request, action, obj: True)
    wrong, _count = mistakes(DOOR_NAMES["admin"], world, "timekeeper", "penalty_formulas")
    assert any("change" in line for line in wrong)


def test_the_world_has_a_row_of_every_table(world: World) -> None:
    """Else the doors would answer None about it, and the matrix be green."""
    assert all(set(RESOURCES) - rows.keys() == WITHOUT_MODEL for rows in world.rows.values())


def test_the_table_knows_every_table() -> None:
    """A new model is refused at every door until the table has a row for it."""
    tables = {model._meta.db_table for model in apps.get_models() if model.__module__.startswith("apps.")}
    guardian = {"organization_user_permissions", "organization_group_permissions", "telemetry_deadletter"}
    assert tables - guardian == set(RESOURCES) - WITHOUT_MODEL
    assert set(policy_table.SCOPES) == set(RESOURCES)


def test_every_list_of_fields_names_fields() -> None:
    """A misspelt name would be hidden, or worse, not be."""
    models = {model._meta.db_table: model for model in apps.get_models()}
    for lists in (policy_table.PUBLIC, policy_table.PERSONAL, policy_table.SECRET, policy_table.GUARDED):
        for resource in lists.keys() - policy_table.COLUMNS.keys():
            known = {field.name for field in models[resource]._meta.get_fields()}
            assert policy_rules.words(lists, resource) <= known, resource


def test_every_admin_stands_behind_the_policy() -> None:
    for model, made in admin.site._registry.items():
        if model.__module__.startswith("apps.") and model._meta.db_table != "telemetry_deadletter":
            assert isinstance(made, PolicyAdmin), model
            assert all(issubclass(inline, PolicyInline) for inline in made.inlines), model


def test_the_roles_of_the_issue_are_what_the_table_says() -> None:
    """Written by hand, so that a slip in the table does not move the matrix with it."""
    rules = policy_rules.RULES
    writers = {
        ("organization_users", "change"): {"org-admin"},
        ("entries", "change"): {"org-admin", "race-director"},
        ("stages", "change"): {"org-admin", "race-director"},
        ("penalty_formulas", "change"): {"org-admin", "race-director"},
        ("start_lists", "add"): {"org-admin", "race-director", "timekeeper"},
        ("timing_records", "add"): {"org-admin", "race-director", "timekeeper", "marshal"},
    }
    assert {key: set(rules.of(*key)) for key in writers} == writers
    for act in ("decide", "publish", "rescore"):
        assert set(rules.of("events", act)) == {"org-admin", "race-director"}
    assert rules.of("positions", "flag_faulty")["marshal"] == "!"
    assert not any("viewer" in rules.of(name, verb) for name in RESOURCES for verb in ("add", "delete"))
    assert {key[1] for key, rule in rules.resources.items() if "anyone" in rule} == {"view"}
    assert not any({"anyone", "viewer", "participant"} & set(rules.of("events", act)) - {"viewer"} for act in ACTS)


@pytest.mark.parametrize("cell", ["vq", "v?", "!v"])
def test_a_slip_of_the_pen_in_the_table_stops_the_start(cell: str) -> None:
    with pytest.raises(ValueError, match="row entries"):
        policy_rules.read(f"resource viewer\nentries {cell}", "act viewer\n")
