"""Who works in the shop, and where its events stand: people, teams, areas, topics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from catalog.words import TopicKind


@dataclass(frozen=True, kw_only=True)
class Person:
    """A demo login."""

    key: str
    username: str
    name: str
    role: str
    team: str
    time_zone: str = "Europe/Berlin"


REGIONS = {"eu": "European Union", "us": "United States", "apac": "Asia and Pacific"}

TEAMS = {
    "platform": ("Platform", "Runs Signalbox and looks after contracts."),
    "sales-operations": ("Sales operations", "Owns what the shop sells, from basket to payment."),
    "warehouse": ("Warehouse", "Owns stock, picking and shipping."),
    "customer-care": ("Customer care", "Owns customer profiles and consent."),
}

PEOPLE = (
    Person(
        key="citizen",
        username="tomas",
        name="Tomás Rivera",
        role="CITIZEN",
        team="sales-operations",
    ),
    Person(key="reviewer", username="jonas", name="Jonas Weber", role="REVIEWER", team="platform"),
    Person(key="admin", username="ines", name="Ines Duarte", role="ADMIN", team="platform"),
    Person(key="support", username="maya", name="Maya Lindqvist", role="SUPPORT", team="platform"),
)
# People that the story needs beside the four logins; they have no password.
COLLEAGUES = (
    Person(
        key="producer",
        username="lena",
        name="Lena Fischer",
        role="CITIZEN",
        team="sales-operations",
    ),
    Person(
        key="owner", username="omar", name="Omar Haddad", role="REVIEWER", team="sales-operations"
    ),
    Person(key="picker", username="priya", name="Priya Nair", role="CITIZEN", team="warehouse"),
)

DOMAINS = {
    "sales": ("Sales", "From basket to payment.", "sales-operations"),
    "inventory": ("Inventory", "What we have, and where it is.", "warehouse"),
    "customers": ("Customers", "Who buys from us, and how we may reach them.", "customer-care"),
}

# name: (title, domain, owner, description, extra fields)
TOPICS: dict[str, tuple[str, str, str, str, dict[str, Any]]] = {
    "sales.orders": (
        "Orders",
        "sales",
        "sales-operations",
        "Everything that happens to an order, in the order it happens.",
        {"criticality": "critical", "ordering_key": "partitionkey", "regions": ["eu", "us"]},
    ),
    "sales.payments": (
        "Payments",
        "sales",
        "sales-operations",
        "Money that comes in and goes back.",
        {"criticality": "high", "is_restricted": True, "regions": ["eu"]},
    ),
    "inventory.stock": (
        "Stock",
        "inventory",
        "warehouse",
        "Changes of what lies on the shelves.",
        {"criticality": "normal", "kind": TopicKind.BATCHED},
    ),
    "customers.profiles": (
        "Customer profiles",
        "customers",
        "customer-care",
        "What customers tell us about themselves.",
        {
            "criticality": "high",
            "regions": ["eu"],
            "house_rules": {"searchable_is_harmless": "error"},
        },
    ),
}

# What rules for contracts weigh in the whole portal.
HOUSE_RULES = {"searchable_is_value": "error"}
