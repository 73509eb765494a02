"""The closed lists of words that more than one app uses (design, section 1)."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Environment(models.TextChoices):
    """Two worlds that mirror each other and never mix."""

    PRODUCTION = "production", _("Production")
    STAGING = "staging", _("Staging")


class TopicKind(models.TextChoices):
    """How events of a topic travel unless a subscription asks otherwise."""

    STREAMING = "streaming", _("Streaming: each event at once")
    BATCHED = "batched", _("Batched: collected, then delivered together")


class Criticality(models.TextChoices):
    """What a lost hour of this topic costs."""

    LOW = "low", _("Low")
    NORMAL = "normal", _("Normal")
    HIGH = "high", _("High")
    CRITICAL = "critical", _("Critical")


class Case(models.TextChoices):
    """How fields of a topic's events are named."""

    SNAKE = "snake", "snake_case"
    CAMEL = "camel", "camelCase"
    ANY = "any", _("Any")


class ApplicationKind(models.TextChoices):
    """What an application is built with; decides the steps of the connect wizard."""

    N8N = "n8n", "n8n"
    ZAPIER = "zapier", "Zapier"
    MAKE = "make", "Make"
    POWER_AUTOMATE = "power_automate", "Power Automate"
    NODE_RED = "node_red", "Node-RED"
    SERVICE = "service", _("Service")


class ReleaseState(models.TextChoices):
    """Where a version stands in one environment."""

    STAGED = "staged", _("In staging")
    LIVE = "live", _("Live")
    DEPRECATED = "deprecated", _("Deprecated")
    RETIRED = "retired", _("Retired")


class UserKind(models.TextChoices):
    """People sign in; service accounts act for an application."""

    PERSON = "person", _("Person")
    SERVICE = "service", _("Service account")
