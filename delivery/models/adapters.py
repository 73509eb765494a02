"""Inbound adapters: an address that takes what a builder sends, in the builder's own shape."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.fields import Identified
from catalog.history import History
from catalog.words import Environment
from delivery.states import SecretKind


class Adapter(Identified):
    """One inbound address; it publishes as its application, in one environment, one event type."""

    slug = models.SlugField(_("address"), max_length=80, unique=True)
    name = models.CharField(_("name"), max_length=120)
    application = models.ForeignKey(
        "catalog.Application",
        on_delete=models.PROTECT,
        related_name="adapters",
        verbose_name=_("application"),
    )
    environment = models.CharField(_("environment"), max_length=10, choices=Environment)
    event_type = models.ForeignKey(
        "catalog.EventType",
        on_delete=models.PROTECT,
        related_name="adapters",
        verbose_name=_("event type"),
    )
    secret_kind = models.CharField(
        _("secret"), max_length=10, choices=SecretKind, default=SecretKind.HEADER
    )
    # The header, the user or the query parameter that goes with the secret.
    secret_name = models.CharField(_("name of the secret"), max_length=80)
    sealed = models.TextField(editable=False)  # a Fernet token; see `delivery.sealing`
    sealed_before = models.TextField(blank=True, editable=False)
    before_until = models.DateTimeField(_("old secret valid until"), null=True, blank=True)
    id_path = models.TextField(
        _("id"), blank=True, help_text=_("Empty: told apart by the whole body, for a while.")
    )
    source_path = models.TextField(_("source"), blank=True)
    subject_path = models.TextField(_("subject"), blank=True)
    time_path = models.TextField(_("time"), blank=True)
    key_path = models.TextField(_("partition key"), blank=True)
    data_path = models.TextField(_("data"), blank=True, help_text=_("Empty: the whole body."))
    window_seconds = models.PositiveIntegerField(
        _("equal bodies are one event for, seconds"), default=24 * 3600
    )
    is_active = models.BooleanField(_("active"), default=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    created_at = models.DateTimeField(_("created"))

    history = History(excluded_fields=["sealed", "sealed_before"])

    class Meta:
        verbose_name = _("inbound adapter")
        verbose_name_plural = _("inbound adapters")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(secret_kind__in=SecretKind.values), name="adapter_secret_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name
