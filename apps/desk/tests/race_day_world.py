"""What a race day begins with: an event with its rules and a course, trackers, and a file of entries.

Five crews and a reconnaissance car: 301 drives clean, 302 misses the WPM, 303 speeds in the zone, the tracker of 304
tells speeds that cannot be, and that of 305 dies before the finish.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from apps.accounts.factories import UserFactory
from apps.accounts.models import User
from apps.accounts.services import set_role
from apps.catalog.factories import DeviceFactory, OrganizationDeviceFactory
from apps.common.position import Position, instant
from apps.course.factories import SegmentFactory, StageFactory, WaypointFactory
from apps.course.models import Segment, Stage
from apps.events.factories import EventFactory, RaceClassFactory
from apps.events.models import Event
from apps.penalties.factories import PenaltyFormulaFactory
from apps.scoring.inputs import milliseconds
from apps.scoring.tests.rally import DEGREE_M, LAT, LON

NUMBERS = range(301, 306)
CREWS = ("Gëzim Çela", "Arta Hoxha", "Jean Deschamps", "Petros Elia", "Ema Novak")
ZONE = (1500, 2500)  # m from the start
HALF = 2000


@dataclass(frozen=True, slots=True)
class World:
    event: Event
    stage: Stage
    segment: Segment
    imeis: tuple[str, ...]
    director: User

    @property
    def start_ms(self) -> int:
        return milliseconds(self.stage.starts_at)

    @property
    def entries_csv(self) -> str:
        rows = (
            f"{number},C-1,accepted,{crew.replace(' ', ',')},pilot,{imei}"
            for number, crew, imei in zip(NUMBERS, CREWS, self.imeis, strict=True)
        )
        head = "race_number,class,status,crew_1_first_name,crew_1_last_name,crew_1_role,device_1"
        return "\n".join([head, *rows, ""])

    @property
    def zone_corners(self) -> str:
        """As the map editor reads them: latitude, longitude, a corner a line."""
        west, east = (LON + metres / DEGREE_M for metres in ZONE)
        corners = ((LAT - 0.002, west), (LAT - 0.002, east), (LAT + 0.002, east), (LAT + 0.002, west))
        return "\n".join(f"{lat:.6f}, {lon:.6f}" for lat, lon in corners)

    @property
    def track_gpx(self) -> str:
        """The reconnaissance car, at 45 km/h all the way."""
        points = "".join(
            f'<trkpt lat="{LAT}" lon="{LON + metres / DEGREE_M:.7f}"><time>{at.isoformat()}</time></trkpt>'
            for metres in range(-100, 4200, 12)
            for at in [instant(self.start_ms - 86_400_000 + metres * 80)]
        )
        return (
            '<gpx version="1.1" creator="x" xmlns="http://www.topografix.com/GPX/1/1">'
            f"<trk><trkseg>{points}</trkseg></trk></gpx>"
        )

    def fixes(self, from_m: float, to_m: float) -> list[Position]:
        """What the trackers send between two distances from the start."""
        return [fix for n in range(len(self.imeis)) for metres, fix in self._drive(n) if from_m <= metres < to_m]

    def _drive(self, n: int) -> Iterator[tuple[float, Position]]:
        metres, ts = -200.0, self.start_ms + n * 60_000 - 8_000
        while metres < (3500 if n == 4 else 4300):
            speed = 20.0 if not 1400 < metres < 2600 else 18.0 if n == 2 else 13.0
            told = 40.0 if n == 3 and 1900 < metres < 1950 else speed
            aside = 0.0015 if n == 1 and 700 < metres < 1300 else 0.0
            lon = round(LON + metres / DEGREE_M, 7)
            yield metres, Position(self.imeis[n], ts, LAT + aside, lon, speed=round(told * 3.6), satellites=11)
            metres += speed
            ts += 1000


def build() -> World:
    """The evening before, in rows. The first crew starts nine minutes ago: all are home by now."""
    now = timezone.now().replace(second=0, microsecond=0)
    event = EventFactory.create(
        name="Rally Albania", time_zone="Europe/Tirane", is_public=False,
        starts_at=now - timedelta(days=1), ends_at=now + timedelta(days=3),
    )  # fmt: skip
    stage = StageFactory.create(event=event, name="Stage 1", starts_at=now - timedelta(minutes=9))
    segment = SegmentFactory.create(stage=stage, name="SS 1")
    for order, (type_, metres, radius) in enumerate((("DSS", 0, 30), ("WPM", 1000, 90), ("ASS", 4000, 30))):
        WaypointFactory.create(
            segment=segment, type=type_, name=type_, latitude=LAT, longitude=LON + metres / DEGREE_M,
            tolerance_meters=radius, sort_order=order,
        )  # fmt: skip
    RaceClassFactory.create(event=event, code="C-1")
    PenaltyFormulaFactory.create(event=event, type="missed_waypoint", penalty=900)
    PenaltyFormulaFactory.create(event=event, type="speed_zone", offence_min=1, penalty=60)
    return World(event, stage, segment, _trackers(event), _director(event))


def _trackers(event: Event) -> tuple[str, ...]:
    devices = [DeviceFactory.create() for _ in NUMBERS]
    for device in devices:
        OrganizationDeviceFactory.create(organization=event.organization, device=device)
    return tuple(device.imei for device in devices)


def _director(event: Event) -> User:
    user: User = UserFactory.create(first_name="Besnik", last_name="Gjoka")
    set_role(event.organization, user, "race-director")
    user.refresh_from_db()
    return user
