"""Events, classes, entries, crews and which tracker an entry carries when (contracts §3)."""

import zoneinfo

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeBoundary, RangeOperators
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organization, User
from apps.catalog.models import Device, Vehicle
from apps.common.base import Row
from apps.common.said import of_error
from apps.events import eligibility
from apps.events.domain.standing import check_transition


class Discipline(models.TextChoices):
    RALLY = "rally", _("rally")
    TIME_TRIAL = "time-trial", _("time trial")
    REGATTA = "regatta", _("regatta")
    TRAIL_RUN = "trail-run", _("trail run")
    HIKE = "hike", _("hike")


def validate_time_zone(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError(_("%(name)s is no time zone; e.g. Europe/Tirane."), "unfit", {"name": name})


class TimingSource(models.TextChoices):
    """Who or what recorded a time."""

    GPS = "gps", "GPS"
    MARSHAL = "marshal", _("marshal")
    TIMEKEEPER = "timekeeper", _("timekeeper")
    BEAM = "beam", _("beam")
    CARD = "card", _("card")


def sources_best_first() -> list[str]:
    """The time card prevails, then what a machine saw, then what people wrote (rulebook 9.2)."""
    return ["card", "beam", "timekeeper", "marshal", "gps"]


class Event(Row):
    organization = models.ForeignKey(Organization, models.RESTRICT, related_name="events")
    name = models.CharField(_("name"), max_length=200)
    slug = models.SlugField(_("slug"), max_length=80)
    discipline = models.CharField(_("discipline"), max_length=20, choices=Discipline.choices, default=Discipline.RALLY)
    starts_at = models.DateTimeField(_("starts at"))
    ends_at = models.DateTimeField(_("ends at"))
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[validate_time_zone])
    is_public = models.BooleanField(
        _("public"), default=False, help_text=_("Spectators without an account may follow it.")
    )
    gap_limit_seconds = models.PositiveSmallIntegerField(
        _("gap limit, s"),
        default=10,
        help_text=_("Two fixes further apart in time give no crossing, but a gap to review."),
    )
    allow_back = models.BooleanField(
        _("may ride back"), default=False, help_text=_("A skipped waypoint may still be validated later.")
    )
    price_unproved = models.BooleanField(
        _("price what is not proved"),
        default=False,
        db_default=False,
        help_text=_(
            "A waypoint that may have been passed while no tracker recorded costs as if it was missed until an "
            "official waives it; off: it costs nothing until an official confirms that it was missed."
        ),
    )
    source_priority = ArrayField(
        models.CharField(max_length=12, choices=TimingSource.choices),
        verbose_name=_("sources of time, best first"),
        default=sources_best_first,
    )
    discrepancy_ms = models.PositiveIntegerField(
        _("discrepancy to show, ms"),
        default=1000,
        help_text=_("Two trackers or two sources further apart than this are shown for review."),
    )
    tie_rule = models.CharField(
        _("tie rule"),
        max_length=24,
        default="last_ss_backwards",
        choices=[
            ("last_ss_backwards", _("last special stage, backwards")),
            ("first_ss_forwards", _("first special stage, forwards")),
            ("number", _("race number")),
            ("shared", _("shared rank")),
        ],
    )
    complete_first = models.BooleanField(
        _("complete crews first"),
        default=False,
        help_text=_("A crew that completed every section ranks above every crew that did not."),
    )
    team_size = models.PositiveSmallIntegerField(
        _("members of a team that count"),
        default=2,
        validators=[MinValueValidator(1)],
        help_text=_("A team's time is the sum of so many of its best members."),
    )
    public_delay_seconds = models.PositiveIntegerField(
        _("public delay, s"),
        default=0,
        validators=[MaxValueValidator(86_400)],
        help_text=_("Spectators and crews see positions and results this much later than officials."),
    )
    regulation_doc_url = models.URLField(_("regulations"), blank=True)
    notes = models.TextField(_("notes"), blank=True)

    class Meta:
        db_table = "events"
        ordering = ("-starts_at",)
        constraints = [
            models.UniqueConstraint(fields=("organization", "slug"), name="events_slug_once"),
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")), name="events_end_after_start"
            ),
            models.CheckConstraint(
                condition=models.Q(discipline__in=Discipline.values), name="events_discipline_known"
            ),
            models.CheckConstraint(condition=models.Q(team_size__gte=1), name="events_teams_have_members"),
        ]

    def __str__(self) -> str:
        return self.name


class RaceClass(Row):
    event = models.ForeignKey(Event, models.RESTRICT, related_name="classes")
    code = models.CharField(_("code"), max_length=16)
    name = models.CharField(_("name"), max_length=100)
    description = models.TextField(_("description"), blank=True)
    group = models.CharField(_("group"), max_length=40, blank=True, help_text=_("Ranked together, e.g. moto, car."))
    sort_order = models.PositiveIntegerField(_("sort order"), default=0)
    cc_min = models.PositiveIntegerField(_("engine from, cc"), null=True, blank=True)
    cc_max = models.PositiveIntegerField(_("engine to, cc"), null=True, blank=True)
    age_min = models.PositiveSmallIntegerField(_("age from"), null=True, blank=True)
    age_max = models.PositiveSmallIntegerField(_("age to"), null=True, blank=True)

    class Meta:
        db_table = "classes"
        ordering = ("sort_order", "code")
        verbose_name = _("class")
        verbose_name_plural = _("classes")
        constraints = [models.UniqueConstraint(fields=("event", "code"), name="classes_code_once")]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class EntryStatus(models.TextChoices):
    """Rulebook §6.4: a stage not finished is no retirement, so stage statuses live on stage results."""

    REGISTERED = "registered", _("registered")
    ACCEPTED = "accepted", _("accepted")
    WITHDRAWN = "withdrawn", _("withdrawn")
    STARTED = "started", _("started")
    FINISHED = "finished", _("finished")
    RETIRED = "retired", _("retired")
    NC = "nc", _("not classified")
    DSQ = "dsq", _("disqualified")


class Entry(Row):
    event = models.ForeignKey(Event, models.RESTRICT, related_name="entries")
    vehicle = models.ForeignKey(Vehicle, models.RESTRICT, null=True, blank=True, related_name="entries")
    race_class = models.ForeignKey(RaceClass, models.RESTRICT, related_name="entries")
    race_number = models.PositiveIntegerField(_("race number"))
    status = models.CharField(_("status"), max_length=16, choices=EntryStatus.choices, default=EntryStatus.REGISTERED)
    competing = models.BooleanField(
        _("competing"), default=True, help_text=_("Off for a course car or a test entry: never ranked.")
    )
    team = models.CharField(_("team"), max_length=100, blank=True)
    eligibility_override = models.TextField(
        _("why it is eligible all the same"),
        blank=True,
        default="",
        db_default="",
        help_text=_("Where engine or age do not fit the class: the official's reason to let it in."),
    )
    crew = models.ManyToManyField(User, through="EntryCrew", related_name="entries")

    class Meta:
        db_table = "entries"
        ordering = ("race_number",)
        verbose_name_plural = _("entries")
        constraints = [
            models.UniqueConstraint(fields=("event", "race_number"), name="entries_number_once"),
            models.CheckConstraint(condition=models.Q(status__in=EntryStatus.values), name="entries_status_known"),
        ]

    def __str__(self) -> str:
        return f"{self.race_number}"

    def clean(self) -> None:
        if self.race_class_id and self.race_class.event_id != self.event_id:
            raise ValidationError({"race_class": _("This class belongs to another event.")})
        if self.event_id and self.competing:
            eligibility.check_entry(self)
        if not self._state.adding:
            self._check_step(Entry.objects.filter(pk=self.pk).values_list("status", flat=True).get())

    def _check_step(self, held: str) -> None:
        """Raises ValidationError, naming both and what is allowed, for a status that cannot follow (rulebook 6.4)."""
        try:
            check_transition(held, self.status)
        except ValueError as error:
            raise ValidationError({"status": of_error(error, gettext)}) from error


class CrewRole(models.TextChoices):
    PILOT = "pilot", _("pilot")
    CO_PILOT = "co-pilot", _("co-pilot")
    NAVIGATOR = "navigator", _("navigator")
    MECHANIC = "mechanic", _("mechanic")
    RIDER = "rider", _("rider")
    RUNNER = "runner", _("runner")
    HIKER = "hiker", _("hiker")


class EntryCrew(Row):
    entry = models.ForeignKey(Entry, models.CASCADE, related_name="crew_links")
    user = models.ForeignKey(User, models.RESTRICT, related_name="crew_links")
    role = models.CharField(_("role"), max_length=12, choices=CrewRole.choices)

    class Meta:
        db_table = "entry_crew"
        constraints = [
            models.UniqueConstraint(fields=("entry", "user"), name="entry_crew_once"),
            models.CheckConstraint(condition=models.Q(role__in=CrewRole.values), name="entry_crew_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()})"

    def clean(self) -> None:
        """Raises ValidationError for a role the discipline does not know, and an age the class does not allow."""
        if self.entry_id and self.user_id:
            eligibility.check_crew(self)


class TsTzRange(models.Func):
    """`tstzrange(from, until, '[)')`: an assignment includes its first instant and not its last."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class EntryDevice(Row):
    """An entry carries a device from `assigned_from` until `assigned_until` (open end when null)."""

    entry = models.ForeignKey(Entry, models.CASCADE, related_name="device_links")
    device = models.ForeignKey(Device, models.RESTRICT, related_name="entry_links")
    assigned_user = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="worn_devices")
    priority = models.PositiveSmallIntegerField(
        _("priority"), default=1, help_text=_("1 counts first; a higher number steps in where it is silent.")
    )
    assigned_from = models.DateTimeField(_("assigned from"))
    assigned_until = models.DateTimeField(_("assigned until"), null=True, blank=True)

    class Meta:
        db_table = "entry_devices"
        ordering = ("priority",)
        constraints = [
            ExclusionConstraint(
                name="entry_devices_no_overlap",
                expressions=[
                    ("device", RangeOperators.EQUAL),
                    (
                        TsTzRange(
                            "assigned_from",
                            "assigned_until",
                            RangeBoundary(inclusive_lower=True, inclusive_upper=False),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                violation_error_message=_("This device is assigned to another entry in that time."),
            ),
            models.CheckConstraint(
                condition=models.Q(assigned_until__isnull=True)
                | models.Q(assigned_until__gt=models.F("assigned_from")),
                name="entry_devices_until_after_from",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.entry}: {self.device}"
