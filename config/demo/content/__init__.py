"""The demo shop in plain values, by subject."""

from config.demo.content.changes import (
    CUSTOMER_EMERGENCY,
    ORDER_CONVERSION,
    ORDER_WAITS,
    STOP_THE_PARCEL,
)
from config.demo.content.contracts import CONTRACTS, Contract
from config.demo.content.places import (
    COLLEAGUES,
    DOMAINS,
    HOUSE_RULES,
    PEOPLE,
    REGIONS,
    TEAMS,
    TOPICS,
    Person,
)
from config.demo.content.systems import (
    GRANTS,
    OPERATIONS_FLOW,
    SUBSCRIPTIONS,
    SYSTEMS,
    WISHES,
    System,
)

__all__ = [
    "COLLEAGUES",
    "CONTRACTS",
    "CUSTOMER_EMERGENCY",
    "DOMAINS",
    "GRANTS",
    "HOUSE_RULES",
    "OPERATIONS_FLOW",
    "ORDER_CONVERSION",
    "ORDER_WAITS",
    "PEOPLE",
    "REGIONS",
    "STOP_THE_PARCEL",
    "SUBSCRIPTIONS",
    "SYSTEMS",
    "TEAMS",
    "TOPICS",
    "WISHES",
    "Contract",
    "Person",
    "System",
]
