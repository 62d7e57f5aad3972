"""The API does what its document says: schemathesis tries each operation with data it makes, as an org-admin.

More of it: SCHEMATHESIS_EXAMPLES=100 .venv/bin/python -m pytest tests/test_rest_contract.py
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    positive_data_acceptance,
    response_schema_conformance,
    status_code_conformance,
)

from apps.events.factories import EntryFactory
from apps.rest.tests.client import official

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "2"))  # of each operation
SEED = 20260607
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    ignored_auth,
]
# What is well formed is not refused with 400; that it names no row, or breaks a rule, no document can say: 422.
FINE = ["2xx", "304", "401", "403", "404", "409", "422", "429"]
CONFIG = schemathesis.Config.from_dict({"checks": {"positive_data_acceptance": {"expected-statuses": FINE}}})
api = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", WSGIHandler(), config=CONFIG)
OPERATIONS: list[Any] = [found.ok() for found in api.get_all_operations() if isinstance(found, Ok)]


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """As Django's own test client has it: the test's transaction outlives a request."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def headers() -> dict[str, str]:
    return official(EntryFactory().event.organization).headers


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_the_api_keeps_its_contract(operation: Any, headers: dict[str, str]) -> None:
    """schemathesis' own parametrize gives all operations one node id, of which pytest-xdist runs the first only."""
    good, bad = (operation.as_strategy(generation_mode=mode) for mode in GenerationMode)

    @seed(SEED)
    @settings(max_examples=EXAMPLES, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(case=good | bad)
    def keeps(case: Any) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    keeps()


def test_every_operation_of_the_document_can_be_read() -> None:
    assert len(OPERATIONS) == len(list(api.get_all_operations())) > 100
