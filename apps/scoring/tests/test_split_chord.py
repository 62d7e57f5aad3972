"""Two late fixes split one chord and are looked at apart: nothing of the old chord may stay (design §1, rule 1)."""

import pytest
from redis import Redis

from apps.common import stream
from apps.common.position import Position
from apps.scoring.tests import rally
from apps.scoring.tests.pipes import processor, scorer
from apps.scoring.tests.test_law import STREAM, clean_run

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_late_fixes_looked_at_apart_leave_nothing_of_the_chord_they_split(redis: Redis) -> None:
    built = rally.build(entries=1)
    start = int(rally.START.timestamp() * 1000)
    rows = [
        Position(built.imeis[0], start + s * 1000, rally.LAT, round(rally.LON + m / rally.DEGREE_M, 7), satellites=11)
        for s, m in ((0, -70), (3, -40), (6, -10), (9, 20))
    ]
    expected = clean_run(redis, rows)
    for batch in ([rows[0], rows[3]], [rows[1]], [rows[2]]):
        stream.send(redis, STREAM, batch)
        processor(redis).run_until_idle()
        if batch[0] is rows[0]:
            scorer(redis).run_until_idle()
    scorer(redis).run_until_idle()
    assert rally.readings() == expected
