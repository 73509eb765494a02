"""A collecting rule in words, for pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.collecting import Rule

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """A rule as a page shows it; `next_at` is the next time of its clock, None without one."""

    sentence: str
    next_at: datetime | None


def tell(rule: Rule | None, *, now: datetime) -> Told | None:
    """Return the rule in words; None where each event goes at once."""
    if rule is None:
        return None
    return Told(sentence=_sentence(rule), next_at=rule.next_time(now))


def _sentence(rule: Rule) -> str:
    ends = [
        ngettext("%(n)s event", "%(n)s events", rule.max_events) % {"n": rule.max_events},
        _size(rule.max_bytes),
    ]
    if rule.times:
        times = ", ".join(f"{one:%H:%M}" for one in rule.times)
        ends.append(f"{times} {rule.zone}")
    if rule.wait_seconds is not None:
        ends.append(_("%(long)s after the first") % {"long": _duration(rule.wait_seconds)})
    most = ", ".join(ends[:-1])
    return _("Collected until %(most)s or %(last)s, whichever comes first") % {
        "most": most,
        "last": ends[-1],
    }


def _size(count: int) -> str:
    # Limits are round numbers in powers of ten, as people write them.
    if count >= 1_000_000:
        return f"{count / 1_000_000:g} MB"
    return f"{count / 1_000:g} kB" if count >= 1_000 else _("%(n)s bytes") % {"n": count}


def _duration(seconds: int) -> str:
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
    n = seconds // size
    words = {
        "day": ngettext("%(n)s day", "%(n)s days", n),
        "hour": ngettext("%(n)s hour", "%(n)s hours", n),
        "minute": ngettext("%(n)s minute", "%(n)s minutes", n),
        "second": ngettext("%(n)s second", "%(n)s seconds", n),
    }
    return words[unit] % {"n": n}
