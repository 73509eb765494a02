"""The demo shop in plain values: areas, topics, contracts, people and their systems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DRAFT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, kw_only=True)
class Person:
    """A demo login."""

    key: str
    username: str
    name: str
    role: str
    team: str
    time_zone: str = "Europe/Berlin"


@dataclass(frozen=True, kw_only=True)
class System:
    """An application of the shop."""

    slug: str
    name: str
    kind: str
    team: str
    description: str
    region: str = "eu"


@dataclass(frozen=True, kw_only=True)
class Contract:
    """An event type with its versions, oldest first: number, schema, sample data, what changed."""

    name: str
    title: str
    topic: str
    description: str
    happens_when: str
    tags: tuple[str, ...]
    versions: tuple[tuple[str, Mapping[str, Any], Mapping[str, Any], str], ...]


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
        {"criticality": "normal"},
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


def _text(title: str, meaning: str, example: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "string",
        "title": title,
        "description": meaning,
        "examples": [example],
        "maxLength": 200,
        **more,
    }


def _schema(title: str, required: list[str], **properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "$schema": DRAFT,
        "title": title,
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": True,
    }


_ORDER_ID = _text(
    "Order number",
    "The number on the customer's confirmation.",
    "A-10442",
    **{"x-searchable": True},
)
_MONEY = {
    "type": "object",
    "title": "Order total",
    "description": "What the customer pays, with tax and shipping.",
    "required": ["amount", "currency"],
    "properties": {
        "amount": {
            "type": "number",
            "title": "Amount",
            "description": "In units of the currency, not cents.",
            "minimum": 0,
            "examples": [129.9],
        },
        "currency": _text("Currency", "Three letters, ISO 4217.", "EUR", pattern="^[A-Z]{3}$"),
    },
    "additionalProperties": True,
}
_LINES = {
    "type": "array",
    "title": "Lines",
    "description": "What was ordered, one entry an article.",
    "minItems": 1,
    "maxItems": 200,
    "items": {
        "type": "object",
        "required": ["sku", "quantity"],
        "properties": {
            "sku": _text("Article", "The article's number in the shop.", "MUG-BLUE"),
            "quantity": {
                "type": "integer",
                "title": "Quantity",
                "description": "How many of it.",
                "minimum": 1,
                "examples": [2],
            },
        },
        "additionalProperties": True,
    },
}
_PLACED_AT = {
    "type": "string",
    "format": "date-time",
    "title": "Placed at",
    "description": "When the customer pressed Buy, with time zone.",
    "examples": ["2026-11-22T09:12:44Z"],
}
_EMAIL = {
    "type": "string",
    "format": "email",
    "title": "E-mail",
    "description": "Where the confirmation goes.",
    "examples": ["ada@example.com"],
    "maxLength": 200,
    "x-sensitive": "contact",
}

ORDER_1_0 = _schema(
    "Order placed",
    ["order_id", "total", "lines", "placed_at"],
    order_id=_ORDER_ID,
    total=_MONEY,
    lines=_LINES,
    placed_at=_PLACED_AT,
    customer_email=_EMAIL,
    billing_country=_text(
        "Billing country",
        "Two letters, ISO 3166; missing for guests who pay in store.",
        "DE",
        pattern="^[A-Z]{2}$",
    ),
)
ORDER_0_9 = _schema(
    "Order placed",
    ["order_id", "amount"],
    order_id=_ORDER_ID,
    amount={
        "type": "number",
        "title": "Amount",
        "description": "What the customer pays, in euros.",
        "examples": [129.9],
    },
)
ORDER_2_0 = _schema(
    "Order placed",
    ["order_id", "total", "lines", "placed_at", "channel"],
    order_id=_ORDER_ID,
    total=_MONEY,
    lines=_LINES,
    placed_at=_PLACED_AT,
    customer_email=_EMAIL,
    channel={
        "type": "string",
        "title": "Channel",
        "description": "Where the order was placed.",
        "enum": ["web", "app", "store"],
        "examples": ["web"],
    },
)
ORDER_SAMPLE = {
    "order_id": "A-10442",
    "total": {"amount": 129.9, "currency": "EUR"},
    "lines": [{"sku": "MUG-BLUE", "quantity": 2}, {"sku": "TEA-GREEN", "quantity": 1}],
    "placed_at": "2026-11-22T09:12:44Z",
    "customer_email": "ada@example.com",
    "billing_country": "DE",
}
# The waiting change request: it makes billing_country required and drops e-mail.
ORDER_PROPOSAL = {
    **ORDER_1_0,
    "required": [*ORDER_1_0["required"], "billing_country"],
    "properties": {k: v for k, v in ORDER_1_0["properties"].items() if k != "customer_email"},
}

CANCELLED = _schema(
    "Order cancelled",
    ["order_id", "reason"],
    order_id=_ORDER_ID,
    reason={
        "type": "string",
        "title": "Reason",
        "description": "Why the order will not be delivered.",
        "enum": ["customer", "payment", "stock"],
        "examples": ["customer"],
    },
)
PAYMENT = _schema(
    "Payment captured",
    ["order_id", "paid", "method"],
    order_id=_ORDER_ID,
    paid={**_MONEY, "title": "Paid", "description": "What reached our account."},
    method={
        "type": "string",
        "title": "Method",
        "description": "How the customer paid.",
        "enum": ["card", "invoice", "wallet"],
        "examples": ["card"],
    },
)
STOCK = _schema(
    "Stock adjusted",
    ["sku", "warehouse", "change", "on_hand"],
    sku=_text("Article", "The article's number in the shop.", "MUG-BLUE"),
    warehouse=_text("Warehouse", "Where it lies.", "BER-1"),
    change={
        "type": "integer",
        "title": "Change",
        "description": "How many came (positive) or went (negative).",
        "examples": [-2],
    },
    on_hand={
        "type": "integer",
        "title": "On hand",
        "description": "How many are there now.",
        "minimum": 0,
        "examples": [41],
    },
)
CUSTOMER = _schema(
    "Customer updated",
    ["customer_id", "updated_at"],
    customer_id=_text("Customer number", "The same in shop, CRM and care.", "C-2201"),
    updated_at={
        **_PLACED_AT,
        "title": "Updated at",
        "description": "When the change was saved, with time zone.",
    },
    name=_text("Name", "As the customer writes it.", "Ada Byron", **{"x-sensitive": "identity"}),
    email={**_EMAIL, "description": "Where the customer wants to be reached."},
    newsletter={
        "type": "boolean",
        "title": "Newsletter",
        "description": "Whether the customer agreed to news.",
        "examples": [True],
    },
)

CONTRACTS = (
    Contract(
        name="com.acme.sales.order.created",
        title="Order placed",
        topic="sales.orders",
        description=(
            "A customer has placed an order and it is binding. Payment may still be open: "
            "wait for **Payment captured** before anything leaves the house."
        ),
        happens_when="Once per order, within a second after the customer presses Buy.",
        tags=("order", "checkout"),
        versions=(
            ("0.9.0", ORDER_0_9, {"order_id": "A-10442", "amount": 129.9}, "First sketch."),
            ("1.0.0", ORDER_1_0, ORDER_SAMPLE, "Total with currency, and the lines."),
            (
                "2.0.0",
                ORDER_2_0,
                {
                    **{k: v for k, v in ORDER_SAMPLE.items() if k != "billing_country"},
                    "channel": "web",
                },
                "Says where the order was placed; billing country is gone.",
            ),
        ),
    ),
    Contract(
        name="com.acme.sales.order.cancelled",
        title="Order cancelled",
        topic="sales.orders",
        description="An order will not be delivered. Whatever was reserved for it is free again.",
        happens_when="At most once per order, before it is shipped.",
        tags=("order",),
        versions=(
            ("1.0.0", CANCELLED, {"order_id": "A-10442", "reason": "customer"}, "First version."),
        ),
    ),
    Contract(
        name="com.acme.sales.payment.captured",
        title="Payment captured",
        topic="sales.payments",
        description="The customer's money has reached us. From here on we owe the goods.",
        happens_when="Once per payment; an order may have several.",
        tags=("order", "payment"),
        versions=(
            (
                "1.0.0",
                PAYMENT,
                {
                    "order_id": "A-10442",
                    "paid": {"amount": 129.9, "currency": "EUR"},
                    "method": "card",
                },
                "First version.",
            ),
        ),
    ),
    Contract(
        name="com.acme.inventory.stock.adjusted",
        title="Stock adjusted",
        topic="inventory.stock",
        description="The number of an article on a shelf has changed, by sale, delivery or count.",
        happens_when="At each booking in the warehouse, often many a minute.",
        tags=("stock", "article"),
        versions=(
            (
                "1.0.0",
                STOCK,
                {"sku": "MUG-BLUE", "warehouse": "BER-1", "change": -2, "on_hand": 41},
                "First version.",
            ),
        ),
    ),
    Contract(
        name="com.acme.customers.customer.updated",
        title="Customer updated",
        topic="customers.profiles",
        description="A customer has changed name, address or consent. Only what changed is sent.",
        happens_when="When the profile is saved, in the shop or by customer care.",
        tags=("customer", "consent"),
        versions=(
            (
                "1.0.0",
                CUSTOMER,
                {
                    "customer_id": "C-2201",
                    "updated_at": "2026-11-22T09:12:44Z",
                    "email": "ada@example.com",
                    "newsletter": True,
                },
                "First version.",
            ),
        ),
    ),
)

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

# (application, verb, topic)
# Reacts to what Signalbox says of itself, on a topic that the shop does not make.
OPERATIONS_FLOW = System(
    slug="operations-chat",
    name="Operations chat",
    kind="n8n",
    team="platform",
    description="Writes into the team's chat when a circuit opens or a review waits.",
)

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

# What a subscription wants beside the usual, by its name: this one gets a batch every half minute.
WISHES: dict[str, dict[str, Any]] = {
    "CRM sync": {"is_idempotent": True},
    "Shelf display": {
        "batching": "batches",
        "batch_max_events": 20,
        "batch_max_wait_seconds": 30,
    },
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
