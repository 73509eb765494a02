"""What publishes and receives: applications, their permissions and standing orders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class System:
    """An application of the shop."""

    slug: str
    name: str
    kind: str
    team: str
    description: str
    region: str = "eu"


SYSTEMS = (
    System(
        slug="web-shop",
        name="Web shop",
        kind="service",
        team="sales-operations",
        description="The shop that customers see. Publishes orders and payments.",
    ),
    System(
        slug="warehouse-system",
        name="Warehouse system",
        kind="service",
        team="warehouse",
        description="Books what comes and goes.",
    ),
    System(
        slug="crm",
        name="CRM",
        kind="service",
        team="customer-care",
        description="Knows every customer.",
    ),
    System(
        slug="fulfilment-flow",
        name="Fulfilment flow",
        kind="n8n",
        team="warehouse",
        description="Starts picking when an order comes in.",
    ),
    System(
        slug="crm-sync",
        name="CRM sync",
        kind="zapier",
        team="customer-care",
        description="Adds buyers to the right lists. Takes its time.",
    ),
    System(
        slug="shelf-display",
        name="Shelf display",
        kind="node_red",
        team="warehouse",
        description="Shows what is left on the shelf. Its line drops now and then.",
    ),
    System(
        slug="warehouse-loader",
        name="Warehouse loader",
        kind="service",
        team="warehouse",
        description="Loads orders into the data warehouse.",
    ),
    System(
        slug="invoice-robot",
        name="Invoice robot",
        kind="make",
        team="sales-operations",
        description="Writes an invoice for each order.",
    ),
)

# Reacts to what Signalbox says of itself, on a topic that the shop does not make.
OPERATIONS_FLOW = System(
    slug="operations-chat",
    name="Operations chat",
    kind="n8n",
    team="platform",
    description="Writes into the team's chat when a circuit opens or a review waits.",
)

# (application, verb, topic)
GRANTS = (
    ("web-shop", "publish", "sales.orders"),
    ("web-shop", "publish", "sales.payments"),
    ("warehouse-system", "publish", "inventory.stock"),
    ("crm", "publish", "customers.profiles"),
    ("fulfilment-flow", "subscribe", "sales.orders"),
    ("crm-sync", "subscribe", "sales.orders"),
    ("crm-sync", "subscribe", "customers.profiles"),
    ("shelf-display", "subscribe", "inventory.stock"),
    ("warehouse-loader", "subscribe", "sales.orders"),
    ("invoice-robot", "subscribe", "sales.orders"),
)

# What a subscription wants beside the usual, by its name.
WISHES: dict[str, dict[str, Any]] = {
    "CRM sync": {"is_idempotent": True},
    # A batch every half minute.
    "Shelf display": {
        "batching": "batches",
        "batch_max_events": 20,
        "batch_max_wait_seconds": 30,
    },
    # Stays with 1.x: what is published as 2.x is converted for it.
    "CRM orders": {"version_pin": 1},
    # Where drafts are tried before they are approved.
    "CRM sync, staging": {"environment": "staging"},
}

# (application, name, topic, event types, path at the demo receiver, filter)
SUBSCRIPTIONS: tuple[tuple[str, str, str, list[str], str, dict[str, Any]], ...] = (
    (
        "fulfilment-flow",
        "Fulfilment flow",
        "sales.orders",
        ["com.acme.sales.order.created"],
        "/healthy",
        {},
    ),
    (
        "crm-sync",
        "CRM sync",
        "customers.profiles",
        ["com.acme.customers.customer.updated"],
        "/slow",
        {},
    ),
    (
        "crm-sync",
        "CRM orders",
        "sales.orders",
        ["com.acme.sales.order.created"],
        "/crm-orders",
        {},
    ),
    (
        "crm-sync",
        "CRM sync, staging",
        "customers.profiles",
        ["com.acme.customers.customer.updated"],
        "/crm-staging",
        {},
    ),
    (
        "shelf-display",
        "Shelf display",
        "inventory.stock",
        ["com.acme.inventory.stock.adjusted"],
        "/flaky",
        {"jmespath": "change < `0`"},
    ),
    (
        "warehouse-loader",
        "Warehouse loader",
        "sales.orders",
        ["com.acme.sales.order.created"],
        "/dead",
        {},
    ),
    (
        "invoice-robot",
        "Invoice robot",
        "sales.orders",
        ["com.acme.sales.order.created"],
        "/gone-flow",
        {},
    ),
)
