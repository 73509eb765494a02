"""Deploy marks: an application went live in a new state, so failures that follow can name it.

A mark is an entry of the ledger and nothing else: it changes no row.
"""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from catalog.models import Application, User
from catalog.words import Environment
from governance import access
from governance.actions import Action
from governance.governed import governed, record
from governance.ledger import reference
from governance.models import LedgerEntry

MOST_CHARACTERS = 120


def mark(
    application: Application,
    *,
    what: str,
    environment: str,
    by: User,
    now: datetime,
    note: str = "",
) -> LedgerEntry:
    """Note that `what` (a version, a commit, a sentence) of the application is live from now on.

    Raises PermissionDenied, and ValidationError for an empty or long text.
    """
    access.require(by, Action.APPLICATION_DEPLOY, application, now=now)
    what = what.strip()
    if not what or len(what) > MOST_CHARACTERS:
        message = _("Say what was deployed, in up to 120 characters: a version, a commit.")
        raise ValidationError({"what": message})
    if environment not in Environment.values:
        raise ValidationError({"environment": _("There is no such environment.")})
    with governed(by=by, now=now, reason=note.strip()):
        record(
            Action.APPLICATION_DEPLOY,
            application,
            after={"what": what, "environment": environment},
            related=(application.team,),
        )
    return marks(application)[0]


def marks(application: Application) -> QuerySet[LedgerEntry]:
    """Return the application's deploy marks, the newest first."""
    return LedgerEntry.objects.filter(
        action=Action.APPLICATION_DEPLOY, related__has_key=reference(application)
    ).order_by("-number")
