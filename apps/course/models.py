"""Stages, segments and the controls on them (contracts §3). Geometry is GeoJSON, lengths are metres."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.common.base import Row
from apps.common.said import of_error
from apps.course.domain.geometry import check_geometry
from apps.course.retroactive import NotBackwards
from apps.events.models import Event, TimingSource


class StageRole(models.TextChoices):
    PROLOGUE = "prologue", _("prologue")
    STAGE = "stage", _("stage")
    SUPER_SPECIAL = "super-special", _("super special")
    EPILOGUE = "epilogue", _("epilogue")


class StartOrder(models.TextChoices):
    """Rulebook §7.1."""

    MANUAL = "manual", _("manual")
    PREVIOUS_STAGE = "previous_stage", _("previous stage")
    PREVIOUS_STAGE_CLEAN_RESULT = "previous_stage_clean_result", _("previous stage without penalties")
    INVERSE_TOP_N_THEN_NATURAL = "inverse_top_n_then_natural", _("inverse top N, then natural")
    INVERSE_OF_OVERALL = "inverse_of_overall", _("inverse of overall")


class Stage(Row):
    """What the public calls "Stage 3". Its window runs from `starts_at` to the next stage's."""

    event = models.ForeignKey(Event, models.RESTRICT, related_name="stages")
    name = models.CharField(_("name"), max_length=100)
    sort_order = models.PositiveIntegerField(_("sort order"))
    role = models.CharField(_("role"), max_length=16, choices=StageRole.choices, default=StageRole.STAGE)
    leg = models.PositiveIntegerField(
        _("leg"),
        null=True,
        blank=True,
        help_text=_("Stages with the same number make one leg; empty = a leg of its own."),
    )
    overall_factor = models.PositiveSmallIntegerField(
        _("times counted overall"),
        default=1,
        validators=[MaxValueValidator(100)],
        help_text=_("How many times its time counts overall; 0 = for the start order alone (rulebook §7.1)."),
    )
    starts_at = models.DateTimeField(_("starts at"))
    start_interval_seconds = models.PositiveIntegerField(_("start interval, s"), default=60)
    start_order_strategy = models.CharField(
        _("start order"), max_length=32, choices=StartOrder.choices, default=StartOrder.MANUAL
    )
    start_order_strategy_params = models.JSONField(_("start order settings"), default=dict, blank=True)
    start_order_input_stage = models.ForeignKey(
        "self", models.RESTRICT, null=True, blank=True, related_name="start_order_outputs"
    )

    class Meta:
        db_table = "stages"
        ordering = ("sort_order",)
        constraints = [
            models.UniqueConstraint(fields=("event", "sort_order"), name="stages_order_once"),
            models.UniqueConstraint(fields=("event", "starts_at"), name="stages_start_once"),
            models.CheckConstraint(condition=models.Q(role__in=StageRole.values), name="stages_role_known"),
            models.CheckConstraint(
                condition=models.Q(start_order_strategy__in=StartOrder.values), name="stages_strategy_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name


def source_priority_field() -> "ArrayField[Any, Any]":
    """Which source of time counts at a control, best first; empty = as the event says."""
    return ArrayField(
        models.CharField(max_length=12, choices=TimingSource.choices),
        verbose_name=_("sources of time, best first"),
        default=list,
        blank=True,
        help_text=_("Empty = as the event says."),
    )


class GeofenceKind(models.TextChoices):
    AREA = "area", _("area")
    GATE = "gate", _("line gate")
    BIVOUAC = "bivouac", _("bivouac")
    PARC_FERME = "parc-ferme", _("parc fermé")


def _refuse_broken(geometry: Any, bearing: float | None = None) -> None:
    """Raises ValidationError with the reason: a shape that detection cannot use would stop the scorer."""
    try:
        check_geometry(geometry, bearing)
    except ValueError as error:
        raise ValidationError({"geometry": of_error(error, gettext)}) from error


class Geofence(NotBackwards, Row):
    """A polygon, or a line gate of two points with the `bearing` it is crossed in."""

    DESCRIPTIVE = frozenset({"name"})

    event = models.ForeignKey(Event, models.RESTRICT, related_name="geofences")
    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(_("kind"), max_length=16, choices=GeofenceKind.choices, default=GeofenceKind.AREA)
    geometry = models.JSONField(_("geometry"), help_text=_("GeoJSON Polygon, or LineString of two points."))
    bearing = models.FloatField(
        _("bearing, °"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(360)],
        help_text=_("A gate counts only in this direction; empty = both."),
    )
    manual_verification = models.BooleanField(_("manual verification"), default=False)
    source_priority = source_priority_field()
    retroactive = models.BooleanField(
        _("retroactive"), default=True, help_text=_("An edit scores again what has already been driven.")
    )

    class Meta:
        db_table = "geofences"
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(fields=("event", "name"), name="geofences_name_once"),
            models.CheckConstraint(
                condition=models.Q(geometry__type__in=["Polygon", "LineString"]),
                name="geofences_polygon_or_line",
            ),
            models.CheckConstraint(
                condition=models.Q(bearing__isnull=True) | models.Q(bearing__gte=0, bearing__lte=360),
                name="geofences_bearing_range",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.geometry is not None and (self.bearing is None or 0 <= self.bearing <= 360):
            _refuse_broken(self.geometry, self.bearing)
        self.refuse_backwards()

    def concerned_stages(self) -> models.QuerySet[Stage]:
        ends = models.Q(segments__entry_geofence=self.pk) | models.Q(segments__exit_geofence=self.pk)
        return Stage.objects.filter(ends)


class SegmentType(models.TextChoices):
    LIAISON = "liaison", _("liaison")
    SPECIAL_STAGE = "special-stage", _("special stage")
    NEUTRALISATION = "neutralisation", _("neutralisation")
    SERVICE = "service", _("service")
    REGROUP = "regroup", _("regroup")
    PARC_FERME = "parc-ferme", _("parc fermé")


class StartFrom(models.TextChoices):
    """Rulebook §5.1: standing start by the assigned time, rolling start by the crossing."""

    CROSSING = "crossing", _("crossing of the start control")
    ASSIGNED = "assigned", _("assigned start time")


class Pick(models.TextChoices):
    """Which of several crossings of one control counts."""

    FIRST = "first", _("first")
    LAST = "last", _("last")
    LAST_BEFORE_NEXT = "last-before-next", _("last before the next control")


class EndControl(models.TextChoices):
    """Rulebook §4.2: what the time control at the end of a road section is."""

    ORDINARY = "", _("ordinary")
    MAIN = "main", _("main control")
    MAIN_OUT = "main-out", _("main control out")


class StageScoring(models.TextChoices):
    """Rulebook §1.1: what ranks a special stage."""

    FASTEST = "fastest", _("fastest time")
    TARGET_DEVIATION = "target_deviation", _("closest to the target time")


class Segment(Row):
    """A part of a stage. A special stage without geofences runs from its DSS to its ASS waypoint."""

    stage = models.ForeignKey(Stage, models.RESTRICT, related_name="segments")
    name = models.CharField(_("name"), max_length=100, blank=True)
    sort_order = models.PositiveIntegerField(_("sort order"))
    type = models.CharField(_("type"), max_length=16, choices=SegmentType.choices)
    entry_geofence = models.ForeignKey(
        Geofence, models.RESTRICT, null=True, blank=True, related_name="segments_entered"
    )
    exit_geofence = models.ForeignKey(Geofence, models.RESTRICT, null=True, blank=True, related_name="segments_left")
    entry_pick = models.CharField(
        _("crossing that counts at the start"), max_length=16, choices=Pick.choices, default=Pick.FIRST
    )
    exit_pick = models.CharField(
        _("crossing that counts at the finish"), max_length=16, choices=Pick.choices, default=Pick.FIRST
    )
    target_duration_seconds = models.PositiveIntegerField(_("target time, s"), null=True, blank=True)
    maximum_duration_seconds = models.PositiveIntegerField(_("maximum time, s"), null=True, blank=True)
    bogey_duration_seconds = models.PositiveIntegerField(
        _("bogey time, s"), null=True, blank=True, help_text=_("The fastest time that is credited (rulebook §5.4).")
    )
    end_control = models.CharField(
        _("time control at its end"), max_length=12, choices=EndControl.choices, default="", blank=True
    )
    scheduled_at = models.DateTimeField(
        _("due by the timetable at"),
        null=True,
        blank=True,
        help_text=_(
            "At its last control, for a crew that starts when the stage does; who starts later is due as much later "
            "(rulebook §4.1). Empty = due by the target time."
        ),
    )
    scoring = models.CharField(
        _("what ranks"), max_length=16, choices=StageScoring.choices, default=StageScoring.FASTEST
    )
    class_scoring = models.JSONField(
        _("what ranks per class"),
        default=dict,
        blank=True,
        help_text=_("Class code → fastest or target_deviation, where a class differs."),
    )
    start_from = models.CharField(
        _("clock starts at"), max_length=12, choices=StartFrom.choices, default=StartFrom.CROSSING
    )
    rounding_ms = models.PositiveIntegerField(
        _("unit of time, ms"),
        default=1000,
        choices=[(1000, _("whole second")), (100, _("tenth of a second"))],
        help_text=_("The final time is truncated once to this unit."),
    )
    neutralised_seconds = models.PositiveIntegerField(
        _("neutralised time, s"), default=0, help_text=_("Fixed allotment subtracted from the time.")
    )
    speed_limit_kmh = models.FloatField(
        _("limit, km/h"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Holds on the whole segment where no zone does."),
    )
    class_limits = models.JSONField(_("limits per class"), default=dict, blank=True, help_text=_("Class code → km/h."))

    class Meta:
        db_table = "segments"
        ordering = ("sort_order",)
        constraints = [
            models.UniqueConstraint(fields=("stage", "sort_order"), name="segments_order_once"),
            models.CheckConstraint(condition=models.Q(type__in=SegmentType.values), name="segments_type_known"),
            models.CheckConstraint(condition=models.Q(rounding_ms__in=[100, 1000]), name="segments_rounding_known"),
            models.CheckConstraint(condition=models.Q(scoring__in=StageScoring.values), name="segments_scoring_known"),
            models.CheckConstraint(
                condition=models.Q(end_control__in=EndControl.values), name="segments_end_control_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name or f"{self.get_type_display()} {self.sort_order}"

    def clean(self) -> None:
        """Refuses closeness to a target time that is not given, and a timetable where no time control ends it."""
        known = isinstance(self.class_scoring, dict) and set(self.class_scoring.values()) <= set(StageScoring.values)
        if not known:
            raise ValidationError({"class_scoring": _("Class code → fastest or target_deviation, nothing else.")})
        if self.scheduled_at and self.type in (SegmentType.SPECIAL_STAGE, SegmentType.NEUTRALISATION):
            raise ValidationError({"scheduled_at": _("Only a road section ends at a time control.")})
        by_target = StageScoring.TARGET_DEVIATION in (self.scoring, *self.class_scoring.values())
        if by_target and self.target_duration_seconds is None:
            raise ValidationError({"target_duration_seconds": _("Closeness to the target time needs a target time.")})


class WaypointType(models.TextChoices):
    """Rulebook §2.1 and §1.2: the codes are the sport's own and are not translated."""

    WPV = "WPV", "WPV"
    WPE = "WPE", "WPE"
    WPM = "WPM", "WPM"
    WPS = "WPS", "WPS"
    WPC = "WPC", "WPC"
    WPN = "WPN", "WPN"
    WPP = "WPP", "WPP"
    PC = "PC", "PC"
    TC = "TC", "TC"
    DZ = "DZ", "DZ"
    FZ = "FZ", "FZ"
    DN = "DN", "DN"
    FN = "FN", "FN"
    DSS = "DSS", "DSS"
    ASS = "ASS", "ASS"


LATITUDE = [MinValueValidator(-90), MaxValueValidator(90)]
LONGITUDE = [MinValueValidator(-180), MaxValueValidator(180)]


class Waypoint(Row):
    """A point with the radius it opens at and the radius (`tolerance_meters`) that validates it."""

    segment = models.ForeignKey(Segment, models.RESTRICT, related_name="waypoints")
    name = models.CharField(_("name"), max_length=100, blank=True)
    type = models.CharField(_("type"), max_length=4, choices=WaypointType.choices)
    latitude = models.FloatField(_("latitude"), validators=LATITUDE)
    longitude = models.FloatField(_("longitude"), validators=LONGITUDE)
    opening_radius = models.FloatField(_("opening radius, m"), null=True, blank=True)
    tolerance_meters = models.FloatField(_("validation radius, m"), validators=[MinValueValidator(1)])
    sort_order = models.PositiveIntegerField(_("sort order"))
    closes_at = models.DateTimeField(
        _("closes at"), null=True, blank=True, help_text=_("Passed later it counts as closed (rulebook §4.3).")
    )
    source_priority = source_priority_field()

    class Meta:
        db_table = "waypoints"
        ordering = ("sort_order",)
        constraints = [
            models.UniqueConstraint(fields=("segment", "sort_order"), name="waypoints_order_once"),
            models.CheckConstraint(condition=models.Q(type__in=WaypointType.values), name="waypoints_type_known"),
            models.CheckConstraint(condition=models.Q(tolerance_meters__gt=0), name="waypoints_radius_positive"),
            models.CheckConstraint(
                condition=models.Q(latitude__gte=-90, latitude__lte=90, longitude__gte=-180, longitude__lte=180),
                name="waypoints_on_earth",
            ),
        ]

    def __str__(self) -> str:
        return self.name or f"{self.type} {self.sort_order}"


class SpeedLimitZone(NotBackwards, Row):
    """A limit inside a polygon, or between a DZ and an FZ waypoint whatever the route (rulebook §3.1)."""

    DESCRIPTIVE = frozenset({"name"})

    segment = models.ForeignKey(Segment, models.RESTRICT, related_name="speed_limit_zones")
    name = models.CharField(_("name"), max_length=100, blank=True)
    geometry = models.JSONField(_("geometry"), null=True, blank=True, help_text=_("GeoJSON Polygon."))
    dz_waypoint = models.ForeignKey(Waypoint, models.RESTRICT, null=True, blank=True, related_name="zones_begun")
    fz_waypoint = models.ForeignKey(Waypoint, models.RESTRICT, null=True, blank=True, related_name="zones_ended")
    speed_limit_kmh = models.FloatField(_("limit, km/h"), validators=[MinValueValidator(1)])
    tolerance_kmh = models.FloatField(_("tolerance, km/h"), default=0, validators=[MinValueValidator(0)])
    class_limits = models.JSONField(_("limits per class"), default=dict, blank=True, help_text=_("Class code → km/h."))
    margins = models.BooleanField(
        _("margins"),
        default=True,
        help_text=_("The circles of DZ and FZ are free; without margins the limit holds from point to point."),
    )
    retroactive = models.BooleanField(
        _("retroactive"), default=True, help_text=_("An edit scores again what has already been driven.")
    )

    class Meta:
        db_table = "speed_limit_zones"
        ordering = ("name",)
        constraints = [
            models.CheckConstraint(
                condition=models.Q(geometry__isnull=False, dz_waypoint__isnull=True, fz_waypoint__isnull=True)
                | models.Q(geometry__isnull=True, dz_waypoint__isnull=False, fz_waypoint__isnull=False),
                name="speed_limit_zones_polygon_or_pair",
            ),
            models.CheckConstraint(condition=models.Q(speed_limit_kmh__gt=0), name="speed_limit_zones_limit_positive"),
        ]

    def __str__(self) -> str:
        return self.name or f"{self.speed_limit_kmh:g} km/h"

    def clean(self) -> None:
        pair = (self.dz_waypoint_id is not None, self.fz_waypoint_id is not None)
        if (self.geometry is not None) == any(pair) or any(pair) != all(pair):
            raise ValidationError(_("Give either a polygon, or both a DZ and an FZ waypoint."))
        if self.geometry is not None:
            _refuse_broken(self.geometry)
            if self.geometry["type"] != "Polygon":
                raise ValidationError({"geometry": _("A zone is a Polygon; a line has no inside.")})
        self.refuse_backwards()

    def concerned_stages(self) -> models.QuerySet[Stage]:
        return Stage.objects.filter(segments=self.segment_id)
