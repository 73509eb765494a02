"""What people can be told of, and how news reaches them until they choose otherwise."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class NewsKind(models.TextChoices):
    """One line of a person's preferences; the words follow "Tell me when"."""

    FAILURE = "failure", _("Events do not arrive, for a cause that is new or has come back")
    CIRCUIT = "circuit", _("An endpoint no longer answers and its circuit opens")
    RECOVERED = "recovered", _("An endpoint answers again")
    FAILING = "failing", _("One event has failed four times")
    FAILING_FOR_DAYS = "failing-for-days", _("An endpoint has failed for days")
    DISABLED = "disabled", _("Signalbox stops sending to a subscription")
    GRANT_ENDING = "grant-ending", _("A grant is about to end")
    GRANT_ENDED = "grant-ended", _("A grant has ended")
    SUNSET = "sunset", _("A version that you use is about to end")
    ACCESS_REQUESTED = "access-requested", _("Somebody asks for access that you decide on")
    ACCESS_DECIDED = "access-decided", _("Your request for access is decided")
    SIGN_OFF = "sign-off", _("A change breaks subscriptions: they are asked, and answer")
    REVIEW = "review", _("A change waits for your review")
    REVIEW_DECIDED = "review-decided", _("Your change is decided")
    REPLAY_APPROVAL = "replay-approval", _("A large replay waits for a second person")
    REPLAY_HELD = "replay-held", _("A replay of yours waits")
    REPLAY_ENDED = "replay-ended", _("A replay of yours has ended")


class MailTime(models.TextChoices):
    """When news of a kind are sent by e-mail."""

    AT_ONCE = "at_once", _("At once")
    DAILY = "daily", _("Once a day")
    NEVER = "never", _("Never")


# Where waiting for tomorrow's mail costs events or holds somebody up.
_URGENT = frozenset(
    {
        NewsKind.FAILURE,
        NewsKind.CIRCUIT,
        NewsKind.FAILING_FOR_DAYS,
        NewsKind.DISABLED,
        NewsKind.ACCESS_REQUESTED,
        NewsKind.REVIEW,
        NewsKind.SIGN_OFF,
        NewsKind.REPLAY_APPROVAL,
        NewsKind.REPLAY_HELD,
    }
)


def usual_mail_time(kind: str) -> MailTime:
    """Return when news of a kind are mailed to who has chosen nothing."""
    return MailTime.AT_ONCE if kind in _URGENT else MailTime.DAILY
