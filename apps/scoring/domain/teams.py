"""Teams: the sum of the best members' times (rulebook 6.1)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from apps.scoring.domain.classification import Line, Rules
from apps.scoring.domain.status import Status, over_stages


@dataclass(frozen=True, slots=True)
class Team:
    """A team and the members that count, best first; of a team with too few ranked members, all. Times in ms."""

    name: str
    members: tuple[Line, ...]
    total_ms: int | None = None
    league: tuple[int, int] = (0, 0)
    rank: int | None = None
    gap_ms: int | None = None
    interval_ms: int | None = None

    @property
    def status(self) -> Status:
        return over_stages(line.status for line in self.members)

    @property
    def merit(self) -> tuple[tuple[int, int], float, int]:
        """Equal sums are told apart by the best single member; then the rank is shared."""
        return self.league, self.total_ms or 0, min(line.total_ms or 0 for line in self.members)


def rank_teams(lines: Iterable[Line], rules: Rules, size: int) -> tuple[Team, ...]:
    """Teams by the sum of their best `size` members, then those with fewer ranked members by name.

    A team with an incomplete member among them is behind the complete ones where the rules say so (6.2), and one
    whose members drove more stages is before those whose drove fewer.
    """
    teams: dict[str, list[Line]] = {}
    for line in sorted(lines, key=rules.order):
        teams.setdefault(line.team, []).append(line)
    found = [_team(name, members, rules, size) for name, members in sorted(teams.items())]
    ranked = sorted((team for team in found if team.total_ms is not None), key=lambda team: (team.merit, team.name))
    return (*_ranked(ranked), *(team for team in found if team.total_ms is None))


def _team(name: str, members: Sequence[Line], rules: Rules, size: int) -> Team:
    best = tuple(line for line in members if rules.placed(line))[:size]
    if len(best) < size:
        return Team(name, tuple(members))
    leagues = [rules.league(line) for line in best]
    league = max(tier for tier, _ in leagues), sum(stages for _, stages in leagues)
    return Team(name, best, sum(line.total_ms or 0 for line in best), league)


def _ranked(teams: Sequence[Team]) -> list[Team]:
    ranked: list[Team] = []
    for position, team in enumerate(teams, start=1):
        previous = ranked[-1] if ranked else None
        rank = previous.rank if previous is not None and previous.merit == team.merit else position
        interval = _gap(team, previous) if previous else 0
        ranked.append(replace(team, rank=rank, gap_ms=_gap(team, teams[0]), interval_ms=interval))
    return ranked


def _gap(team: Team, other: Team) -> int | None:
    return (team.total_ms or 0) - (other.total_ms or 0) if team.league == other.league else None
