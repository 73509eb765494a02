"""People, service accounts and the teams that own things."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractUser, Group, UserManager
from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.fields import Identified
from catalog.history import History
from catalog.words import Environment, UserKind


class Theme(models.TextChoices):
    """Light or dark, or what the person's system says."""

    SYSTEM = "system", _("As my system")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class User(Identified, AbstractUser):
    """A person who signs in, or the service account that an application acts through.

    People are deactivated, never deleted: history names them for ever.
    """

    kind = models.CharField(_("kind"), max_length=10, choices=UserKind, default=UserKind.PERSON)
    name = models.CharField(_("full name"), max_length=200, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    language = models.CharField(_("language"), max_length=12, default="en")
    theme = models.CharField(_("theme"), max_length=8, choices=Theme, default=Theme.SYSTEM)
    environment = models.CharField(
        _("environment shown first"),
        max_length=10,
        choices=Environment,
        default=Environment.PRODUCTION,
    )

    objects: ClassVar[UserManager[User]] = UserManager()  # type: ignore[assignment]  # Self
    history = History(
        excluded_fields=["last_login", "password", "theme", "environment", "time_zone", "language"]
    )

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ["username"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=UserKind.values), name="user_kind_known"
            )
        ]

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        """Return the name that pages and the ledger show."""
        return self.name or self.get_full_name() or self.username

    @property
    def initials(self) -> str:
        """Return up to two capital letters for the avatar."""
        words = self.display_name.split()
        return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words))[
            :2
        ].upper()


class Team(Identified):
    """People who own things; its members are those of its group."""

    group = models.OneToOneField(Group, on_delete=models.PROTECT, related_name="team")
    slug = models.SlugField(_("short name"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=120, unique=True)
    description = models.TextField(_("description"), blank=True)
    email = models.EmailField(_("e-mail"), blank=True)

    history = History()

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
