"""What files and tables of analytics hold, column by column: the data dictionary is written from this."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """`type` is text, int, real, bool or instant (UTC, ms). `description` says unit and source."""

    name: str
    type: str
    description: str


def columns(table: str) -> tuple[Column, ...]:
    """One column a line: name, type, description."""
    lines = (line.split(maxsplit=2) for line in table.strip().splitlines() if line.strip())
    return tuple(Column(*words) for words in lines)


POSITIONS = columns("""
    device_id   text     IMEI of the tracker.
    ts          instant  Time of the fix by the tracker's GPS.
    latitude    real     Degrees, WGS 84.
    longitude   real     Degrees, WGS 84.
    altitude    real     Metres.
    angle       real     Heading, degrees from 0 to 360.
    speed       real     km/h; 0 can also mean that there was no valid fix.
    satellites  int      Satellites in use; 0 = no fix.
    priority    int      0 low, 1 high, 2 panic.
    codec       text     Teltonika codec: 8, 8E or 16.
    attributes  text     The IO bag as JSON, by IO id, undecoded.
    stream      text     Redis stream it came by.
    stream_id   text     Its id there. A tracker may send a fix twice: of equal device_id and ts any one will do.
""")


def dictionary(title: str, datasets: dict[str, Sequence[Column]]) -> str:
    """The data dictionary as Markdown."""
    parts = [f"# {title}", "", "Instants are UTC. text, int, real and bool are string, int64, double and boolean.", ""]
    for name, of in datasets.items():
        parts += [f"## {name}", "", "| column | type | meaning |", "|---|---|---|"]
        parts += [f"| {c.name} | {c.type} | {c.description} |" for c in of]
        parts.append("")
    return "\n".join(parts)
