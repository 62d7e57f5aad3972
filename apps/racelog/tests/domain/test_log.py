"""What is left of the lines of the log holds; what was taken back does not."""

from apps.racelog.domain.log import Kind, Line, in_force, open_protests, rests_on, settled, stage_state


def line(id: str, kind: Kind, about: str = "", stage: str = "S", entry: str = "") -> Line:
    return Line(id, kind, stage, 0, about, entry)


def test_the_last_word_of_a_service_counts_and_of_this_stage_only() -> None:
    lines = [
        line("1", Kind.GO, "medical"),
        line("2", Kind.NO_GO, "medical"),
        line("3", Kind.GO, "sweep"),
        line("4", Kind.GO, "timing", stage="T"),
    ]
    state = stage_state(lines, "S")
    assert state.missing(["medical", "sweep", "timing"]) == ("medical", "timing")
    assert stage_state([*lines, line("5", Kind.TAKEN_BACK, "2")], "S").missing(["medical"]) == ()


def test_a_stage_is_frozen_while_it_is_held_or_stopped() -> None:
    held = [line("1", Kind.HOLD)]
    assert stage_state(held, "S").frozen and not stage_state(held, "T").frozen
    stopped = [*held, line("2", Kind.RED), line("3", Kind.RELEASE)]
    assert (stage_state(stopped, "S").hold, stage_state(stopped, "S").frozen) == (None, True)
    over = [*stopped, line("4", Kind.GREEN)]
    assert not stage_state(over, "S").frozen
    assert [stop.id for stop in stage_state(over, "S").stops] == ["2"]


def test_a_hold_within_which_the_stage_is_stopped_lasts_from_its_beginning() -> None:
    """Who was to start between the hold and the red signal waits as well, whichever ends first."""
    lines = [Line("1", Kind.HOLD, "S", 100), Line("2", Kind.RED, "S", 200), Line("3", Kind.RELEASE, "S", 300)]
    assert stage_state(lines, "S").since == 100
    assert stage_state([*lines, Line("4", Kind.GREEN, "S", 400)], "S").since is None
    again = [*lines, Line("4", Kind.GREEN, "S", 400), Line("5", Kind.HOLD, "S", 500)]
    assert stage_state(again, "S").since == 500


def test_a_release_taken_back_holds_the_starts_again() -> None:
    lines = [line("1", Kind.HOLD), line("2", Kind.RELEASE), line("3", Kind.TAKEN_BACK, "2")]
    hold = stage_state(lines, "S").hold
    assert hold is not None and hold.id == "1"
    assert [one.id for one in in_force(lines)] == ["1"]


def test_nothing_is_taken_back_from_under_what_rests_on_it() -> None:
    lines = [
        line("1", Kind.HOLD),
        line("2", Kind.RELEASE),
        line("3", Kind.RED),
        line("4", Kind.NOTIONAL, "3"),
        line("5", Kind.HOLD),
        line("6", Kind.PROTEST, entry="301"),
        line("7", Kind.HEARD, "6"),
    ]
    found = {one.id: rest.id if (rest := rests_on(one, lines)) else None for one in lines}
    assert found == {"1": "2", "2": "5", "3": "4", "4": None, "5": None, "6": "7", "7": None}
    assert rests_on(lines[0], [*lines, line("8", Kind.TAKEN_BACK, "2")]) is None
    assert rests_on(line("9", Kind.HOLD), lines) is None


def test_a_protest_is_open_until_it_is_heard() -> None:
    lines = [line("1", Kind.PROTEST, entry="301"), line("2", Kind.PROTEST, entry="302"), line("3", Kind.HEARD, "1")]
    assert [one.id for one in open_protests(lines)] == ["2"]
    assert [one.id for one in open_protests([*lines, line("4", Kind.TAKEN_BACK, "3")])] == ["1", "2"]


def test_a_contradiction_is_settled_by_its_words_and_its_crew() -> None:
    lines = [line("1", Kind.SETTLED, "over maximum", entry="301"), line("2", Kind.SETTLED, "x", "T", "301")]
    assert settled(lines, "S") == {("301", "over maximum")}
    assert settled([*lines, line("3", Kind.TAKEN_BACK, "1")], "S") == frozenset()
