"""Say instants, durations and counts in the reader's words and time zone."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def duration(seconds: float) -> str:
    """Return a length of time with at most two units: `84 ms`, `4 min 12 s`, `31 h`, `5 days`.

    Under 10 s there is one decimal, from 10 min no seconds, from 24 h no minutes, from 48 h days.
    A negative length reads as its absolute value.
    """
    seconds = abs(float(seconds))
    if 0 < seconds < 0.9995:
        return _("%(n)s ms") % {"n": round(seconds * 1000)}
    if seconds < 9.95:
        return _("%(n)s s") % {"n": number(round(seconds, 1))}
    whole = round(seconds)
    return _up_to_an_hour(whole) if whole < _HOUR else _from_an_hour(whole)


def _up_to_an_hour(whole: int) -> str:
    if whole < _MINUTE:
        return _("%(n)s s") % {"n": whole}
    if whole < 10 * _MINUTE:
        return _two(whole // _MINUTE, _("min"), whole % _MINUTE, _("s"))
    return _("%(n)s min") % {"n": whole // _MINUTE}


def _from_an_hour(whole: int) -> str:
    if whole < _DAY:
        return _two(whole // _HOUR, _("h"), whole % _HOUR // _MINUTE, _("min"))
    if whole < 2 * _DAY:
        return _("%(n)s h") % {"n": whole // _HOUR}
    days = whole // _DAY
    return ngettext("%(n)s day", "%(n)s days", days) % {"n": number(days)}


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    first = f"{large} {large_unit}"
    return f"{first} {small} {small_unit}" if small else first


def relative(instant: datetime, *, now: datetime) -> str:
    """Return how long ago or ahead `instant` is, up to a day; then its day in the active zone."""
    seconds = (now - instant).total_seconds()
    if abs(seconds) >= _DAY:
        return day(instant, now=now)
    if abs(seconds) < 5:
        return _("just now")
    length = _coarse(abs(seconds))
    return (_("%(length)s ago") if seconds > 0 else _("in %(length)s")) % {"length": length}


def _coarse(seconds: float) -> str:
    if seconds < _MINUTE:
        return _("%(n)s s") % {"n": int(seconds)}
    if seconds < _HOUR:
        return _("%(n)s min") % {"n": int(seconds // _MINUTE)}
    return _("%(n)s h") % {"n": int(seconds // _HOUR)}


def day(instant: datetime, *, now: datetime) -> str:
    """Return `Wed 07:42` within six days, else `2 Nov`, with the year when it is another one."""
    local, today = timezone.localtime(instant), timezone.localtime(now)
    if abs(local.date() - today.date()) <= timedelta(days=6):
        return date_format(local, "D H:i")
    return date_format(local, "j M" if local.year == today.year else "j M Y")


def clock(instant: datetime, *, now: datetime, with_seconds: bool = False) -> str:
    """Return the moment itself: `Today 11:18`, `Wed 07:42`, `2 Nov 07:42`, `2 Nov 2025 07:42`."""
    local, today = timezone.localtime(instant), timezone.localtime(now)
    time = "H:i:s" if with_seconds else "H:i"
    if local.date() == today.date():
        return _("Today %(time)s") % {"time": date_format(local, time)}
    if abs(local.date() - today.date()) <= timedelta(days=6):
        return date_format(local, f"D {time}")
    return date_format(local, f"j M {time}" if local.year == today.year else f"j M Y {time}")


def full(instant: datetime) -> str:
    """Return the moment for a tool tip: `Thursday 12 November 2026, 14:31:07 CET`."""
    return date_format(timezone.localtime(instant), "l j F Y, H:i:s T")


def calendar_day(value: date | datetime) -> str:
    """Return `18 Nov 2026`, in the active zone for an instant."""
    if isinstance(value, datetime):
        value = timezone.localtime(value)
    return date_format(value, "j M Y")


def number(value: float) -> str:
    """Return a number with grouped thousands and no needless decimals: `12,400`, `98.6`."""
    whole = int(value)
    return number_format(whole if whole == value else value, force_grouping=True)


def count_of(value: int, forms: str) -> str:
    """Return a count with its noun; `forms` is `order,orders` or a noun that takes an s."""
    singular, _comma, plural = forms.partition(",")
    return f"{number(value)} {singular if value == 1 else plural or singular + 's'}"


def share(part: float, whole: float) -> str:
    """Return `61 %` of a whole, with one decimal at the ends (`99.8 %`), `none of none` for 0."""
    if not whole:
        return _("nothing yet")
    percent = 100 * part / whole
    digits = 1 if 0 < percent < 10 or 90 < percent < 100 else 0
    return _("%(n)s %%") % {"n": number(round(percent, digits))}
