"""The status vocabulary: one word, icon and tone for each state of each thing.

States are the stored ones, then those that a page derives (a subscription that is `flaky`, a grant
that is `ending`). Pages, mails and the admin all take their marks from here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

Text = str | Promise


class UnknownState(LookupError):
    """Add the state to `catalog.vocabulary.MARKS`: nothing is shown without its word and tone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """How a state looks: `icon` names a heroicon, `tone` is good, warn, bad, info or idle."""

    word: Text
    icon: str
    tone: str


def _mark(tone: str, icon: str, word: Text) -> Mark:
    return Mark(word=word, icon=icon, tone=tone)


_SUBSCRIPTION = {
    "active": _mark("good", "check-circle", _("Delivering")),
    "delivering": _mark("good", "check-circle", _("Delivering")),
    "slowed": _mark("warn", "arrow-path", _("Slowed")),
    "flaky": _mark("warn", "arrow-path", _("Flaky")),
    "failing": _mark("bad", "x-circle", _("Failing")),
    "paused": _mark("idle", "pause-circle", _("Paused")),
    "disabled": _mark("bad", "no-symbol", _("Disabled")),
}
_CHANGE_REQUEST = {
    "draft": _mark("idle", "pencil", _("Draft")),
    "open": _mark("info", "eye", _("In review")),
    "changes_requested": _mark("warn", "arrow-uturn-left", _("Sent back")),
    "approved": _mark("good", "check", _("Approved")),
    "applied": _mark("good", "check-circle", _("Applied")),
    "rejected": _mark("bad", "x-mark", _("Rejected")),
    "withdrawn": _mark("idle", "minus-circle", _("Withdrawn")),
}
_BREAKING = _mark("bad", "x-mark", _("Breaking"))
_UNDECIDED = _mark("warn", "question-mark-circle", _("Undecided"))
_SAFE = _mark("good", "check", _("Safe"))

MARKS: dict[str, dict[str, Mark]] = {
    "delivery": {
        "pending": _mark("idle", "clock", _("Pending")),
        "retrying": _mark("warn", "arrow-path", _("Retrying")),
        "delivered": _mark("good", "check-circle", _("Delivered")),
        "dead": _mark("bad", "x-circle", _("Dead")),
        "skipped": _mark("idle", "forward", _("Skipped")),
        "discarded": _mark("idle", "trash", _("Discarded")),
    },
    "subscription": _SUBSCRIPTION,
    "circuit": {
        "closed": _mark("good", "bolt", pgettext_lazy("circuit", "Closed")),
        "open": _mark("bad", "bolt-slash", pgettext_lazy("circuit", "Open")),
        "probing": _mark("warn", "bolt-slash", _("Probing")),
    },
    "change_request": _CHANGE_REQUEST,
    "finding": {"breaking": _BREAKING, "undecided": _UNDECIDED, "safe": _SAFE},
    "verdict": {"incompatible": _BREAKING, "undecided": _UNDECIDED, "compatible": _SAFE},
    "check": {
        "passed": _mark("good", "check", _("Passed")),
        "failed": _mark("bad", "x-mark", _("Failed")),
        "warned": _mark("warn", "exclamation-triangle", _("Look at this")),
        "undecided": _UNDECIDED,
        "running": _mark("info", "arrow-path", _("Running")),
    },
    "release": {
        "proposed": _mark("info", "sparkles", _("Proposed")),
        "staged": _mark("info", "beaker", _("In staging")),
        "live": _mark("good", "check-circle", _("Live")),
        "deprecated": _mark("warn", "clock", _("Deprecated")),
        "retired": _mark("idle", "archive-box", _("Retired")),
    },
    "grant": {
        "in_force": _mark("good", "check-circle", _("In force")),
        "ending": _mark("warn", "clock", _("Ends soon")),
        "requested": _mark("info", "hand-raised", _("Requested")),
        "unused": _mark("idle", "moon", _("Unused")),
        "expired": _mark("idle", "lock-closed", _("Expired")),
        "revoked": _mark("bad", "no-symbol", _("Revoked")),
    },
    "access_request": {
        "open": _mark("info", "hand-raised", _("Requested")),
        "approved": _mark("good", "check", _("Approved")),
        "rejected": _mark("bad", "x-mark", _("Rejected")),
        "withdrawn": _mark("idle", "minus-circle", _("Withdrawn")),
    },
    "failure_group": {
        "open": _mark("bad", "x-circle", pgettext_lazy("failure", "Open")),
        "assigned": _mark("info", "user", _("Someone is on it")),
        "resolved": _mark("good", "check-circle", _("Resolved")),
        "ignored": _mark("idle", "eye-slash", _("Ignored")),
    },
    "replay": {
        "awaiting_approval": _mark("info", "hand-raised", _("Awaits approval")),
        "queued": _mark("idle", "clock", _("Queued")),
        "running": _mark("info", "arrow-path", _("Running")),
        "paused": _mark("idle", "pause-circle", _("Paused")),
        "done": _mark("good", "check-circle", _("Done")),
        "done_with_failures": _mark("warn", "exclamation-triangle", _("Done, some failed")),
        "cancelled": _mark("idle", "stop-circle", _("Cancelled")),
    },
    "attempt": {
        "delivered": _mark("good", "check-circle", _("Answered")),
        "failed": _mark("bad", "x-circle", _("Failed")),
    },
    "key": {
        "active": _mark("good", "check-circle", _("Active")),
        "ending": _mark("warn", "clock", _("Ends soon")),
        "expired": _mark("idle", "lock-closed", _("Expired")),
        "revoked": _mark("bad", "no-symbol", _("Revoked")),
    },
    "part": {
        "ok": _mark("good", "check-circle", _("Works")),
        "slow": _mark("warn", "exclamation-triangle", _("Slow")),
        "down": _mark("bad", "x-circle", _("Down")),
    },
}

# The icon of a tone where a sentence, not a state, is marked.
TONE_ICONS = {
    "good": "check-circle",
    "warn": "exclamation-triangle",
    "bad": "x-circle",
    "info": "information-circle",
    "idle": "clock",
}


def mark(thing: str, state: str, *, word: Text = "", detail: Text = "") -> Mark:
    """Return how `state` of `thing` looks.

    `word` replaces the state's word ("Until 30 Jun 2027"), `detail` follows it after a comma
    ("Deprecated, ends 15 Jan 2027"). Raises UnknownState when the pair is not in `MARKS`.
    """
    try:
        found = MARKS[thing][str(state)]
    except KeyError:
        raise UnknownState(f"{thing!r} has no state {state!r}") from None
    shown = word or found.word
    if detail:
        shown = _("%(word)s, %(detail)s") % {"word": shown, "detail": detail}
    return replace(found, word=shown)
