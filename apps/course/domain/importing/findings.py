"""What is wrong in a course file, and where."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from apps.common.said import Said

FILE = Said("file")


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault, in English until it is told.

    `place` is "line 12 'WP4'", "feature 3 'WP4'" or "file"; `field` what the author has to look at.
    """

    severity: Severity
    place: Said
    field: str
    reason: Said

    def __str__(self) -> str:
        return f"{self.severity}: {self.place}: {self.field}: {self.reason}"


@dataclass(slots=True)
class Findings:
    """Collects faults while a file is read: the author gets all of them at once."""

    found: list[Finding] = field(default_factory=list)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.found)

    def error(self, place: Said, field: str, reason: Said) -> None:
        self.found.append(Finding(Severity.ERROR, place, field, reason))

    def warning(self, place: Said, field: str, reason: Said) -> None:
        self.found.append(Finding(Severity.WARNING, place, field, reason))


def has_errors(findings: Iterable[Finding]) -> bool:
    return any(finding.severity is Severity.ERROR for finding in findings)


def line(number: int) -> Said:
    return Said("line %(n)s", n=number)


def place(where: Said, name: str) -> Said:
    """ "line 12" and the thing's name, if it has one."""
    return Said("%(where)s '%(name)s'", where=where, name=name[:40]) if name else where
