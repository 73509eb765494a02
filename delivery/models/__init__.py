"""What happens at run time, one noun a file."""

from delivery.models.adapters import Adapter
from delivery.models.counts import ContractBreach, FilteredCount, Rollup, RollupMark
from delivery.models.deliveries import Attempt, Delivery, QueueRow
from delivery.models.events import Event, EventIdentity, Expunction, Payload
from delivery.models.failures import DeadLetter, FailureGroup
from delivery.models.notifications import NewsChoice, Notification
from delivery.models.portal_events import PortalEvent
from delivery.models.replays import Replay, ReplayItem
from delivery.models.routing import RoutingDecision, RoutingRule
from delivery.models.runbooks import Runbook
from delivery.models.subscriptions import (
    Circuit,
    Endpoint,
    EndpointSecret,
    FeedPosition,
    ParkedKey,
    Subscription,
)
from delivery.models.translations import Translation
from delivery.models.values import EventValue

__all__ = [
    "Adapter",
    "Attempt",
    "Circuit",
    "ContractBreach",
    "DeadLetter",
    "Delivery",
    "Endpoint",
    "EndpointSecret",
    "Event",
    "EventIdentity",
    "EventValue",
    "Expunction",
    "FailureGroup",
    "FeedPosition",
    "FilteredCount",
    "NewsChoice",
    "Notification",
    "ParkedKey",
    "Payload",
    "PortalEvent",
    "QueueRow",
    "Replay",
    "ReplayItem",
    "Rollup",
    "RollupMark",
    "RoutingDecision",
    "RoutingRule",
    "Runbook",
    "Subscription",
    "Translation",
]
