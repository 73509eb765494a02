"""The shop's event types with their versions, oldest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from config.demo.content.schemas import (
    CANCELLED,
    CUSTOMER,
    ORDER_0_9,
    ORDER_1_0,
    ORDER_2_0,
    ORDER_SAMPLE,
    PAYMENT,
    STOCK,
)


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
