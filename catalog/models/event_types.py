"""Event types: what happened, in the business's own words."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.fields import Identified
from catalog.history import History
from catalog.querysets import EventTypeQuerySet

REVERSE_DNS = RegexValidator(
    r"^[a-z][a-z0-9-]*(\.[a-z0-9][a-z0-9_-]*){2,}$",
    _("Use a reverse-DNS name, such as com.acme.sales.order.created."),
)


class CompatibilityMode(models.TextChoices):
    """Which side may move first (design, section 5)."""

    NONE = "NONE", _("None")
    BACKWARD = "BACKWARD", _("Backward")
    BACKWARD_TRANSITIVE = "BACKWARD_TRANSITIVE", _("Backward, all live versions")
    FORWARD = "FORWARD", _("Forward")
    FORWARD_TRANSITIVE = "FORWARD_TRANSITIVE", _("Forward, all live versions")
    FULL = "FULL", _("Full")
    FULL_TRANSITIVE = "FULL_TRANSITIVE", _("Full, all live versions")


class CompatibilityPolicy(models.TextChoices):
    """Whether a writer may send what it does not declare."""

    LENIENT = "lenient", _("Lenient: writers send only what they declare")
    STRICT = "strict", _("Strict: writers may send anything that is allowed")


class EventType(Identified):
    """What happened; belongs to one topic, has versions of its contract."""

    name = models.CharField(_("name"), max_length=200, unique=True, validators=[REVERSE_DNS])
    title = models.CharField(_("title"), max_length=120)
    description = models.TextField(_("what it means"), blank=True)
    happens_when = models.TextField(_("when it happens"), blank=True)
    topic = models.ForeignKey(
        "catalog.Topic",
        on_delete=models.PROTECT,
        related_name="event_types",
        verbose_name=_("topic"),
    )
    tags = ArrayField(
        models.CharField(max_length=40), verbose_name=_("tags"), default=list, blank=True
    )
    compatibility_mode = models.CharField(
        _("compatibility"),
        max_length=20,
        choices=CompatibilityMode,
        default=CompatibilityMode.BACKWARD,
    )
    compatibility_policy = models.CharField(
        _("policy"),
        max_length=8,
        choices=CompatibilityPolicy,
        default=CompatibilityPolicy.LENIENT,
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    # Title, name, meaning, tags and the words of its fields; written by `EventType.index`.
    search = SearchVectorField(null=True, editable=False)

    objects = EventTypeQuerySet.as_manager()
    history = History(excluded_fields=["search"])

    class Meta:
        verbose_name = _("event type")
        verbose_name_plural = _("event types")
        ordering = ["name"]
        indexes = [GinIndex(fields=["search"], name="event_type_search")]

    def __str__(self) -> str:
        return self.name
