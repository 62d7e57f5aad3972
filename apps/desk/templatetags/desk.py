"""Times, ages and durations as an official reads them; instants are epoch ms, shown in the zone in force."""

from datetime import datetime
from decimal import Decimal

from django import template
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.common.durations import as_duration
from apps.common.position import instant
from apps.common.said import told
from apps.penalties.domain.stored import stored
from apps.penalties.words import type_in_words
from apps.scoring.models import ResultStatus

register = template.Library()


@register.filter
def clock(value: int | datetime | None) -> str:
    """HH:MM:SS, with tenths where there are any; "–" where there is no instant."""
    if value is None or value == "":
        return "–"
    at = value if isinstance(value, datetime) else instant(int(value))
    local = timezone.localtime(at)
    tenths = local.microsecond // 100_000
    return f"{local:%H:%M:%S}" + (f".{tenths}" if tenths else "")


@register.filter
def to_second(value: int) -> str:
    """HH:MM:SS of an instant."""
    return f"{timezone.localtime(instant(int(value))):%H:%M:%S}"


@register.filter
def exactly(value: int | None) -> str:
    """HH:MM:SS.mmm."""
    return "–" if value is None else f"{timezone.localtime(instant(int(value))):%H:%M:%S.%f}"[:-3]


@register.filter
def duration(value: int | str | None) -> str:
    """A duration in ms as H:MM:SS, with tenths where there are any; a dash for nothing."""
    return "–" if value in (None, "") else as_duration(int(value))


@register.filter
def ago(value: int | None, now: int) -> str:
    """How long before `now` (both epoch ms) in the largest unit that fits."""
    if value is None:
        return "–"
    seconds = max(0, now - value) // 1000
    if seconds < 100:
        return _("%d s") % seconds
    if seconds < 100 * 60:
        return _("%d min") % (seconds // 60)
    return _("%d h") % (seconds // 3600) if seconds < 72 * 3600 else _("%d d") % (seconds // 86_400)


@register.filter
def minutes(seconds: int | None) -> int:
    return (seconds or 0) // 60


@register.filter
def seconds(value: Decimal | None) -> str:
    """A duration in seconds as H:MM:SS."""
    return "–" if value is None else as_duration(round(value * 1000))


@register.filter
def seconds_of_ms(value: int) -> str:
    """Milliseconds as seconds: 1.250."""
    return f"{value / 1000:.3f}"


@register.filter
def humane(type_: str) -> str:
    """A penalty's type in words."""
    return type_in_words(type_)


@register.filter
def percent(value: float) -> str:
    """A part of one in hundredths: 72."""
    return f"{value * 100:.0f}"


@register.filter
def as_told(text: str | None) -> str:
    """Arithmetic or a review as it is stored with a penalty, in the reader's language."""
    return told(stored(text or ""), _)


@register.filter
def result_status(value: str) -> str:
    """A result's status in words."""
    return str(dict(ResultStatus.choices).get(value, value))


@register.filter
def iso_clock(value: str | None) -> str:
    """HH:MM:SS of an instant in ISO-8601."""
    return clock(datetime.fromisoformat(value)) if value else "–"
