"""What a dashboard is about: an environment, or one topic, application or subscription of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from delivery.models import Subscription
from delivery.querysets import SubscriptionQuerySet


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """An environment, narrowed by whatever is named.

    Of an application it is what the application published and what was delivered to it.
    """

    environment: str
    topic: UUID | None = None
    event_type: UUID | None = None
    application: UUID | None = None
    subscription: UUID | None = None

    @property
    def columns(self) -> Mapping[str, str | UUID]:
        """Return the columns of roll-ups that are bound, with their values."""
        named = {
            "environment": self.environment,
            "topic_id": self.topic,
            "event_type_id": self.event_type,
            "application_id": self.application,
            "subscription_id": self.subscription,
        }
        return {name: value for name, value in named.items() if value is not None}

    def subscriptions(self) -> SubscriptionQuerySet:
        """Return the standing subscriptions that it is about."""
        found = Subscription.objects.standing().filter(environment=self.environment)
        if self.topic is not None:
            found = found.filter(topic=self.topic)
        if self.application is not None:
            found = found.filter(application=self.application)
        if self.subscription is not None:
            found = found.filter(pk=self.subscription)
        return found
