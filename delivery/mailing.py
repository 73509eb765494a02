"""News by e-mail: what is due for one person goes out as one message.

The row is the state: `mail_due_at` says when, is moved ahead while a process sends (a lease), and
is emptied when the server took the message. So a killed worker delays a message, and two workers
never send the same one at once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from smtplib import SMTPException
from uuid import UUID

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.models import User
from delivery import configuration
from delivery.models import Notification

# However much happens, a person gets no more than one message in this time.
APART = timedelta(minutes=5)
LEASE = timedelta(minutes=2)
# After a message that the server refused; then it is given up, and stays in the portal.
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360, 720))
# While the server cannot be reached no try is used up.
SERVER_AWAY = timedelta(minutes=1)
# Then what else waits for a worker has its turn; a server that does not answer takes longer.
RUN_SECONDS = 1.0
MOST_LINES = 50  # of one message; it says how many more there are

logger = logging.getLogger(__name__)


def send_due(*, now: datetime) -> int:
    """Send what is due, a message for each person; return how many went out."""
    people = _people_due(now)
    if not people:
        return 0
    backend: BaseEmailBackend = get_connection()
    try:
        backend.open()
    except (OSError, SMTPException) as error:
        logger.warning("The mail server cannot be reached: %s", type(error).__name__)
        Notification.objects.filter(mail_due_at__lte=now).update(mail_due_at=now + SERVER_AWAY)
        return 0
    until = time.monotonic() + RUN_SECONDS
    sent = 0
    try:
        for user_id in people:
            if time.monotonic() > until:
                break
            sent += _send_to(user_id, backend, now)
    finally:
        backend.close()
    return sent


def _people_due(now: datetime) -> list[UUID]:
    """Return who is owed a message and has had none for a while."""
    lately = Notification.objects.filter(user=OuterRef("user"), mailed_at__gt=now - APART)
    due = Notification.objects.filter(mail_due_at__lte=now).exclude(Exists(lately))
    return list(due.order_by().values_list("user", flat=True).distinct())


def _send_to(user_id: UUID, backend: BaseEmailBackend, now: datetime) -> bool:
    """Send one person what is due; tell whether a message went out."""
    news = _claim(user_id, now)
    person = User.objects.filter(pk=user_id, is_active=True).exclude(email="").first()
    held = Notification.objects.filter(pk__in=[one.pk for one in news])
    if person is None:
        held.update(mail_due_at=None)
        return False
    if not news:
        return False
    try:
        with translation.override(person.language):
            _message(person, news, backend).send()
    except (OSError, SMTPException, ValueError) as error:
        # The address may be in the error's text: the log names neither it nor what was said.
        logger.warning("A message to user %s was not taken: %s", user_id, type(error).__name__)
        _put_off(news, now)
        return False
    held.update(mail_due_at=None, mailed_at=now)
    return True


def _claim(user_id: UUID, now: datetime) -> list[Notification]:
    """Take what is due for one person, oldest first, for as long as the lease lasts."""
    due = Notification.objects.filter(user=user_id, mail_due_at__lte=now)
    with transaction.atomic():
        news = list(due.select_for_update(skip_locked=True).order_by("created_at", "pk"))
        Notification.objects.filter(pk__in=[one.pk for one in news]).update(
            mail_due_at=now + LEASE, mail_tries=F("mail_tries") + 1
        )
    return news


def _put_off(news: Sequence[Notification], now: datetime) -> None:
    """Try later what was refused, or never again what was refused too often.

    `news` are as they were before this try was counted.
    """
    for tries in {one.mail_tries for one in news}:
        due_at = now + WAITS[tries] if tries < len(WAITS) else None
        refused = [one.pk for one in news if one.mail_tries == tries]
        Notification.objects.filter(pk__in=refused).update(mail_due_at=due_at)


def _message(person: User, news: Sequence[Notification], backend: BaseEmailBackend) -> EmailMessage:
    """Return the message; a single piece of news is its own subject."""
    portal = configuration.public_url()
    choices = portal + reverse("delivery:notification-choices")
    subject = news[0].text
    if len(news) > 1:
        subject = ngettext(
            "%(n)s piece of news from Signalbox", "%(n)s pieces of news from Signalbox", len(news)
        ) % {"n": len(news)}
    lines = [f"{one.text}\n{portal}{one.path}" for one in news[:MOST_LINES]]
    if len(news) > MOST_LINES:
        page = portal + reverse("delivery:notification-list")
        lines.append(_("%(n)s more: %(page)s") % {"n": len(news) - MOST_LINES, "page": page})
    lines.append(_("Choose what you are told of, and how: %(page)s") % {"page": choices})
    return EmailMessage(
        # A line break in a name must not begin a header of its own.
        subject=" ".join(subject.split()),
        body="\n\n".join(lines) + "\n",
        to=[person.email],
        headers={"Auto-Submitted": "auto-generated", "List-Unsubscribe": f"<{choices}>"},
        connection=backend,
    )
