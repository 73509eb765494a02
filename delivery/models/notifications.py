"""News for a person, and how each person wants to hear of them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.fields import Identified
from delivery.news_kinds import MailTime, NewsKind


class Notification(Identified):
    """One sentence for one person, with the page where they can act; stored once per `key`.

    `mail_due_at` is the whole state of its e-mail: empty when none is owed (any more).
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications"
    )
    kind = models.CharField(_("kind"), max_length=40)
    key = models.CharField(max_length=160)
    text = models.CharField(_("text"), max_length=400)
    path = models.CharField(_("page"), max_length=400, blank=True)
    created_at = models.DateTimeField(_("when"))
    is_shown = models.BooleanField(_("in the portal"), default=True)
    read_at = models.DateTimeField(_("read"), null=True, blank=True)
    mail_due_at = models.DateTimeField(_("e-mail due"), null=True, blank=True)
    mail_tries = models.PositiveSmallIntegerField(_("e-mails tried"), default=0)
    mailed_at = models.DateTimeField(_("e-mailed"), null=True, blank=True)

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="one_notification_per_key")
        ]
        indexes = [
            models.Index(
                fields=["user", "-created_at"],
                name="notification_unread",
                condition=models.Q(read_at__isnull=True),
            ),
            models.Index(
                fields=["mail_due_at"],
                name="notification_mail_due",
                condition=models.Q(mail_due_at__isnull=False),
            ),
            models.Index(
                fields=["user", "-mailed_at"],
                name="notification_mailed",
                condition=models.Q(mailed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.text


class NewsChoice(models.Model):
    """How a person wants to hear of one kind; no row: as everybody does."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="news_choices"
    )
    kind = models.CharField(_("kind"), max_length=40, choices=NewsKind)
    is_shown = models.BooleanField(_("in the portal"), default=True)
    mail = models.CharField(_("by e-mail"), max_length=10, choices=MailTime)

    class Meta:
        verbose_name = _("choice of news")
        verbose_name_plural = _("choices of news")
        ordering = ["user", "kind"]
        constraints = [
            models.UniqueConstraint(fields=["user", "kind"], name="one_news_choice_per_kind"),
            models.CheckConstraint(
                condition=models.Q(mail__in=MailTime.values), name="news_choice_mail_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.kind}"
