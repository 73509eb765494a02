"""Schema versions, and where each stands in each environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.fields import Identified
from catalog.history import History
from catalog.querysets import ReleaseQuerySet, SchemaVersionQuerySet
from catalog.words import Environment, ReleaseState

SEMANTIC_VERSION = RegexValidator(
    r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$", _("Use MAJOR.MINOR.PATCH, such as 1.1.0.")
)


class SchemaVersion(Identified):
    """One JSON Schema of an event type with its promises; never changed once applied."""

    event_type = models.ForeignKey(
        "catalog.EventType",
        on_delete=models.PROTECT,
        related_name="versions",
        verbose_name=_("event type"),
    )
    version = models.CharField(_("version"), max_length=40, validators=[SEMANTIC_VERSION])
    # The three numbers again, so that the database can sort 1.10.0 after 1.9.0.
    major = models.PositiveIntegerField(editable=False)
    minor = models.PositiveIntegerField(editable=False)
    patch = models.PositiveIntegerField(editable=False)
    document = models.TextField(_("JSON Schema, as stored"))
    document_sha256 = models.CharField(max_length=64, editable=False)
    example = models.TextField(_("sample data, JSON"), blank=True)
    changes = models.TextField(_("what changed"), blank=True)
    guarantee = models.CharField(_("delivery guarantee"), max_length=40, default="at-least-once")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = SchemaVersionQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("schema version")
        verbose_name_plural = _("schema versions")
        ordering = ["event_type", "-major", "-minor", "-patch"]
        constraints = [
            models.UniqueConstraint(
                fields=["event_type", "version"], name="one_version_of_a_number"
            )
        ]

    def __str__(self) -> str:
        return f"{self.event_type.name} {self.version}"

    def save(self, *args: object, **kwargs: object) -> None:
        """Keep the sortable numbers in step with `version`."""
        self.major, self.minor, self.patch = (int(part) for part in self.version.split("."))
        super().save(*args, **kwargs)  # type: ignore[arg-type]


class Release(Identified):
    """A version in one environment."""

    state_field: ClassVar[str] = "state"
    moves: ClassVar[Mapping[str, tuple[str, ...]]] = {
        ReleaseState.STAGED: (ReleaseState.LIVE, ReleaseState.RETIRED),
        ReleaseState.LIVE: (ReleaseState.DEPRECATED,),
        ReleaseState.DEPRECATED: (ReleaseState.LIVE, ReleaseState.RETIRED),
        ReleaseState.RETIRED: (),
    }

    version = models.ForeignKey(
        SchemaVersion, on_delete=models.PROTECT, related_name="releases", verbose_name=_("version")
    )
    environment = models.CharField(_("environment"), max_length=10, choices=Environment)
    state = models.CharField(_("state"), max_length=10, choices=ReleaseState)
    since = models.DateTimeField(_("since"))
    sunset_at = models.DateTimeField(_("ends"), null=True, blank=True)
    replacement = models.ForeignKey(
        SchemaVersion,
        on_delete=models.PROTECT,
        related_name="replaces",
        null=True,
        blank=True,
        verbose_name=_("use instead"),
    )

    objects = ReleaseQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("version in an environment")
        verbose_name_plural = _("versions in environments")
        ordering = ["version", "environment"]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "environment"], name="one_release_per_environment"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=ReleaseState.values), name="release_state_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} in {self.environment}"
