"""Applications: the systems that publish and subscribe."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.fields import Identified
from catalog.history import History
from catalog.querysets import ApplicationQuerySet
from catalog.words import ApplicationKind


class Application(Identified):
    """An n8n, a Zapier account, a service: owned by a team, acting through its service account."""

    slug = models.SlugField(_("short name"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("built with"), max_length=20, choices=ApplicationKind)
    description = models.TextField(_("what it does"), blank=True)
    team = models.ForeignKey(
        "catalog.Team",
        on_delete=models.PROTECT,
        related_name="applications",
        verbose_name=_("team"),
    )
    region = models.ForeignKey(
        "catalog.Region",
        on_delete=models.PROTECT,
        related_name="applications",
        verbose_name=_("region"),
    )
    service_account = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="application"
    )
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = ApplicationQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("application")
        verbose_name_plural = _("applications")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
