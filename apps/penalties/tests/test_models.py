"""What the database refuses of formulas and penalties."""

import pytest
from django.db import IntegrityError, transaction

from apps.accounts.factories import UserFactory
from apps.penalties.factories import EntryPenaltyFactory, PenaltyFormulaFactory

pytestmark = pytest.mark.django_db


def test_a_decision_needs_an_author_and_a_reason() -> None:
    """Protects the audit: nobody waives a penalty namelessly."""
    assert EntryPenaltyFactory(status="waived", author=UserFactory(), reason="GPS off").pk
    for unsigned in ({}, {"author": UserFactory()}, {"reason": "because"}):
        with pytest.raises(IntegrityError, match="decision_signed"), transaction.atomic():
            EntryPenaltyFactory(status="waived", **unsigned)


def test_a_bracket_is_ordered() -> None:
    with pytest.raises(IntegrityError, match="bracket_ordered"), transaction.atomic():
        PenaltyFormulaFactory(offence_min=21, offence_max=20)


def test_a_formula_of_a_class_names_the_class() -> None:
    with pytest.raises(IntegrityError, match="owner_named"), transaction.atomic():
        PenaltyFormulaFactory(belongs_to_type="class")
