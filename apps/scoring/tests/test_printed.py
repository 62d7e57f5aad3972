"""What is printed with a published result is frozen with it."""

import pytest

from apps.accounts.models import User
from apps.events.factories import EntryCrewFactory
from apps.scoring.revisions import publish
from apps.scoring.tests import rally
from apps.scoring.tests.test_revisions import driven as driven
from apps.scoring.tests.test_revisions import of_stage

pytestmark = pytest.mark.django_db(transaction=True)


def test_names_and_penalties_are_frozen_with_the_results(driven: rally.Rally, official: User) -> None:
    """A paper printed again is the same paper, whoever is renamed meanwhile."""
    link = EntryCrewFactory(entry=driven.entries[0], user__first_name="Çlirim", user__last_name="Hoxha")
    snapshot = publish(of_stage(driven, "provisional"), official).snapshot
    names = snapshot["printed"]
    assert names["event"] == driven.event.name and names["stage"] == "Stage 1"
    assert names["entries"][str(driven.entries[0].id)]["crew"] == link.user.get_full_name() == "Çlirim Hoxha"
    by_number = {names["entries"][p["entry"]]["number"]: p for p in snapshot["penalties"]}
    assert by_number[302]["type"] == "missed_waypoint" and by_number[302]["ms"] == 900_000
    assert not by_number[302]["waived"] and by_number[302]["stage"] == driven.stage_id
