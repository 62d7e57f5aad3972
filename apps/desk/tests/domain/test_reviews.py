"""The scorer's sentences, taken apart: each end of a segment is a case of its own, and none is lost."""

from apps.desk.domain.reviews import Doubtful, doubtful, other_conflicts

SEGMENTS = [
    {"segment": "s1", "reviews": ["start: GPS crossing uncertain by 2 s", "finish: beam differs by +3 s"]},
    {"segment": "s2", "reviews": ["a to b not taken out: not passed", "finish: tracker 2 differs by +5 s"]},
    {"segment": "s3", "reviews": []},
]


def test_ends_are_told_apart() -> None:
    assert list(doubtful(SEGMENTS)) == [
        Doubtful("s1", "start", ("GPS crossing uncertain by 2 s",)),
        Doubtful("s1", "finish", ("beam differs by +3 s",)),
        Doubtful("s2", "", ("a to b not taken out: not passed",)),
        Doubtful("s2", "finish", ("tracker 2 differs by +5 s",)),
    ]


def test_every_other_sentence_stays_a_conflict() -> None:
    conflicts = ["s1: start: GPS crossing uncertain by 2 s", "s3: no assigned start", "decided dnf, but the evidence …"]
    assert other_conflicts(conflicts, SEGMENTS) == conflicts[1:]
