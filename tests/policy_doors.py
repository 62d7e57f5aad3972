"""The doors the matrix knocks at. A new door is a function (world, case) -> its answer, and a line in DOORS.

An answer is True or False, or None where the door has no such thing. `world.user(case)` asks, of `world.row(case)`
in `world.event(case)`; to write, send a copy as `_new` makes it. A door that shows or refuses otherwise than the
table says by design has a `fits` of its own, as the admin has. `expected` reads the table by itself, so that the
policy is not compared with itself. The world is shared: a door that writes takes it back (a savepoint).
"""

import re
import uuid
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import admin
from django.db import transaction
from django.urls import reverse

from apps.accounts import policy
from apps.accounts import policy_table as table
from apps.accounts.admin_policy import refusals
from apps.accounts.policy_table import ANYONE
from apps.audit.models import AuditEntry
from apps.live.protocol import Fault, topic
from apps.live.services import admit
from apps.rest.answers import encode
from apps.rest.filters import event_path
from tests.policy_world import STATES, Case, World
from trm.api import RESOURCES as RESOURCES_OF_REST

DOCUMENTS = {
    "entries": ("entry-list", "events"),
    "start_lists": ("start-list", "start_lists"),
    "result_revisions": ("classification", "result_revisions"),
    "decisions": ("decision", "decisions"),
    "race_log": ("race-log", "events"),
}
LETTERS = {"view": "v", "add": "a", "change": "c", "delete": "d"}
SHARED = {"users", "vehicles", "devices"}
GLOBAL = {"device_models", "io_mappings", "command_texts"}
TOPICS = {
    "positions": "event",
    "event_results": "leaderboard",
    "timing_records": "entry",
    "alerts": "race-control",
}


def grid(text: str) -> dict[str, dict[str, str]]:
    head, *lines = (line.split() for line in text.strip().splitlines())
    return {line[0]: dict(zip(head[1:], line[1:], strict=True)) for line in lines}


RESOURCES, ACTS = grid(table.RESOURCES), grid(table.ACTS)


def expected(case: Case, *, public: bool = True) -> bool:
    """What the table says. Without `public` what it says to members alone."""
    cells = RESOURCES[case.resource] if case.resource else ACTS[case.action]
    letter = LETTERS[case.action] if case.resource else "x"
    new = case.action == "add" and case.resource in SHARED  # a new vehicle is nobody's yet
    member = case.home or new or case.resource in GLOBAL
    answers = [_says(cells[case.role], letter, case)] if member and case.role != ANYONE else []
    answers += [_says(cells[ANYONE], letter, case)] if public else []
    return any(answers)


def _says(cell: str, letter: str, case: Case) -> bool:
    found = re.search(f"{letter}([!+*^~]?)", cell)
    if not found:
        return False
    conditions = {"": True, "!": case.state in ("active", "public"), "+": case.mine, "*": True, "^": True}
    return conditions[found[1]] if found[1] != "~" else case.state == "public"


def cases(role: str, resource: str) -> Iterator[Case]:
    """Every action of a role on a resource ("" = the acts), in both organizations and every state of the event."""
    actions = LETTERS if resource else ACTS
    for action in actions:
        for state in STATES:
            yield Case(role, resource, action, home=False, state=state)
            yield Case(role, resource, action, home=True, state=state)
            if role == "participant":
                yield Case(role, resource, action, home=True, state=state, mine=True)


Answer = bool | None


@dataclass(frozen=True, slots=True)
class Door:
    """`knock` gives its answer; `fits` whether that agrees with the table."""

    name: str
    knock: Callable[[World, Case], Answer]
    fits: Callable[[Case, bool], bool] = lambda case, answer: answer is expected(case)


def mistakes(door: Door, world: World, role: str, resource: str) -> tuple[list[str], int]:
    """Where the door's answers differ from the table, and how many it gave."""
    answers = [(case, door.knock(world, case)) for case in cases(role, resource)]
    given = [(case, answer) for case, answer in answers if answer is not None]
    return [f"{case}: {door.name} says {answer}" for case, answer in given if not door.fits(case, answer)], len(given)


def by_function(world: World, case: Case) -> Answer:
    """`policy.may`, of the row or, to add, of a new one like it."""
    user, row = world.user(case), world.row(case)
    if not case.resource:
        return policy.may(user, case.action, world.event(case))
    if row is None:
        return policy.may(user, case.action, case.resource, event=world.event(case))
    return policy.may(user, case.action, _new(row) if case.action == "add" else row)


def by_queryset(world: World, case: Case) -> Answer:
    """`policy.visible`."""
    row = world.row(case)
    if case.action != "view" or row is None or row._state.adding:
        return None
    rows = type(row)._default_manager.filter(pk=row.pk)
    found = list(policy.visible(world.user(case), rows))
    assert len(found) <= 1, "a row twice"
    return bool(found)


def by_fields(world: World, case: Case) -> Answer:
    """`policy.fields`: empty exactly where the row may not be seen."""
    row = world.row(case)
    if case.action != "view" or row is None:
        return None
    found = policy.fields(world.user(case), row)
    personal = set(table.PERSONAL.get(case.resource, "").split())
    allowed = case.home and (case.mine or case.role in ("org-admin", "race-director", "timekeeper", "marshal"))
    assert allowed or not personal & found, f"{case} reads {personal & found}"
    return bool(found)


def _worth_a_request(case: Case) -> bool:
    """Requests are asked where the state of the event may matter: to marshals, and to those who look on.

    A request costs a hundred questions to the policy, which is asked in every state. Where more is public, more
    could slip through: so the writes are tried there.
    """
    if case.role == "marshal" and case.home:
        return True
    return case.state == "public" or (case.action == "view" and case.state == "active")


def by_admin(world: World, case: Case) -> Answer:
    """The admin's pages, asked by a browser: each role in its own event, and in the other organization's."""
    row = world.row(case)
    if row is None or row._state.adding or type(row) not in admin.site._registry or case.role == ANYONE:
        return None
    if not _worth_a_request(case):
        return None
    if case.action == "add":
        return _adds(world, case, row)
    page = "delete" if case.action == "delete" else "change"
    address = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{page}", args=[row.pk])
    client = world.client(case)
    answer = client.post(address) if case.action == "change" else client.get(address)
    return answer.status_code == 200


def _adds(world: World, case: Case, row: Any) -> bool:
    """The page to add, and then what its form says to such a row."""
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_add"
    opens = world.client(case).get(reverse(name)).status_code == 200
    return opens and not refusals(world.user(case), _new(row)).get("")


def fits_admin(case: Case, answer: bool) -> bool:
    """An office shows its own organization only; and it may refuse more than the table, never less."""
    due = expected(case, public=False)
    return answer is due if case.action == "view" else due or not answer


def by_socket(world: World, case: Case) -> Answer:
    """What `/ws-live` asks before it lets somebody follow a topic."""
    if case.action != "view" or case.resource not in TOPICS:
        return None
    kind = TOPICS[case.resource]
    subject = world.row(replace(case, resource="entries" if kind == "entry" else "events"))
    try:
        admit(world.user(case), topic(f"{kind}:{subject.id}"))
    except Fault:
        return False
    return True


def by_document(world: World, case: Case) -> Answer:
    """The files people download: a paper of a kind, and what it is made of."""
    if case.action != "view" or case.resource not in DOCUMENTS or not _worth_a_request(case):
        return None
    kind, made_of = DOCUMENTS[case.resource]
    row = world.row(replace(case, resource=made_of))
    return bool(world.client(case).get(f"/documents/{kind}/{row.pk}.csv").status_code == 200)


def by_rest(world: World, case: Case) -> Answer:
    """The API: what is refused is 401, 403 or 405, and 404 where the row may not even be seen."""
    if not case.resource:
        return _act_by_rest(world, case)
    row, view = world.row(case), RESOURCES_OF_REST.get(case.resource)
    if row is None or view is None or row._state.adding or not hasattr(view, REST[case.action]):
        return None
    if not _worth_a_request(case):
        return None
    address, client = f"/api/v1/{case.resource}", world.client(case)
    json = "application/json"
    with transaction.atomic():
        if case.action == "view":
            answer = client.get(f"{address}/{row.pk}")
            _same_in_a_list(world, case, answer.status_code == 200)
        elif case.action == "add":
            answer = client.post(address, encode(_body(view, row)), json)
        elif case.action == "change":
            answer = client.patch(f"{address}/{row.pk}", b"{}", json)
        else:
            answer = client.delete(f"{address}/{row.pk}")
        transaction.set_rollback(True)
    return answer.status_code not in REFUSED


def _same_in_a_list(world: World, case: Case, seen: bool) -> None:
    """The list of the event has the row exactly where it can be read by itself."""
    row = world.row(case)
    if not event_path(type(row)) or getattr(row, "event_id", row) is None or case.state not in ("active", "public"):
        return
    answer = world.client(case).get(f"/api/v1/{case.resource}?event={world.event(case).pk}&limit=1000")
    listed = answer.status_code == 200 and str(row.pk) in {str(found["id"]) for found in answer.json()["results"]}
    assert listed is seen, f"{case}: the list says {listed}"


def _act_by_rest(world: World, case: Case) -> Answer:
    """An act with a body that says too little: who may not is told so, who may is told what is missing."""
    if case.action not in ACTS_OF_REST or (case.state in ("before", "after") and case.role != "marshal"):
        return None
    address, body = ACTS_OF_REST[case.action]
    rows = world.rows[case.home, case.state, case.mine]
    keys = {name: row.pk for name, row in rows.items()} | {"line": _line_of(rows["entries"])}
    client, path = world.client(case), f"/api/v1/{address.format(**keys)}"
    with transaction.atomic():
        if body is None:
            answer = client.get(path)
        else:
            filled = {name: value.format(**keys) for name, value in body.items()}
            answer = client.post(path, encode(filled), "application/json")
        transaction.set_rollback(True)
    return answer.status_code not in REFUSED


def _line_of(row: Any) -> int:
    return AuditEntry.objects.filter(table=row._meta.db_table, row_id=str(row.pk)).latest("id").pk


REFUSED = (401, 403, 404, 405)
# Where the API has each act of the table: the body of a POST, None for a GET.
ACTS_OF_REST: dict[str, tuple[str, dict[str, str] | None]] = {
    "flag_faulty": ("entries/{entries}/flag_faulty", {}),
    "record_time": ("timing_records/{timing_records}/withdraw", {}),
    "decide": ("decisions/{decisions}/revoke", {"reason": "x"}),
    "publish": ("result_revisions", {"event": "{events}", "state": "provisional"}),
    "rescore": ("events/{events}/rescore", {"no": "such"}),
    "dry_run": ("events/{events}/dry_run", {}),
    "open_stage": ("stages/{stages}/open", {}),
    "seed": ("stages/{stages}/seed", {}),
    "closing_times": ("stages/{stages}/closing_times", {"no": "such"}),
    "copy_crew": ("entries/{entries}/copy_crew", {"source": "{entries}"}),
    "import": ("segments/{segments}/import", {}),
    "revert": ("audit_log/{line}/revert", {}),
    "note": ("entries/{entries}/note", {}),
    "export": ("events/{events}/export", None),
    "close_stage": ("stages/{stages}/close", {"no": "such"}),
    "send_command": ("commands", {"organization": "{organizations}", "device": "{devices}", "text": "x"}),
    "manage_members": ("organization_users/{organization_users}/restore", {}),
    "replay_dead_letters": ("dead_letters/replay", {}),
    "report_ready": ("stages/{stages}/report", {}),
    "hold_start": ("stages/{stages}/hold", {}),
    "stop_stage": ("stages/{stages}/restart", {"no": "such"}),
    "hear_protest": ("race_log/{race_log}/hear", {"no": "such"}),
}
REST = {"view": "retrieve", "add": "create", "change": "partial_update", "delete": "destroy"}


def _body(view: Any, row: Any) -> dict[str, Any]:
    """What would make such a row."""
    serializer = view().get_serializer_class()(row)
    return {name: value for name, value in serializer.data.items() if not serializer.fields[name].read_only}


def _new(row: Any) -> Any:
    made = copy(row)
    made.pk, made._state = uuid.uuid4(), copy(row._state)
    made._state.adding = True
    return made


DOORS = [
    Door("may", by_function),
    Door("visible", by_queryset),
    Door("fields", by_fields),
    Door("admin", by_admin, fits_admin),
    Door("websocket", by_socket),
    Door("documents", by_document),
    Door("rest", by_rest),
]
