"""API keys of applications: shown once, stored as a digest."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.fields import Identified
from catalog.history import History
from catalog.words import Environment


class ApiKey(Identified):
    """One key of an application in one environment.

    256 random bits need no slow hash: the publish path looks the SHA-256 up in a cache.
    """

    application = models.ForeignKey(
        "catalog.Application",
        on_delete=models.PROTECT,
        related_name="keys",
        verbose_name=_("application"),
    )
    environment = models.CharField(_("environment"), max_length=10, choices=Environment)
    label = models.CharField(_("label"), max_length=80, blank=True)
    prefix = models.CharField(_("begins with"), max_length=20, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)

    history = History(excluded_fields=["last_used_at", "digest"])

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["application", "environment", "-created_at"]

    def __str__(self) -> str:
        return f"{self.prefix}… ({self.environment})"
