"""What the shop's events carry, as JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DRAFT = "https://json-schema.org/draft/2020-12/schema"


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
CUSTOMER_1_1 = {
    **CUSTOMER,
    "properties": {
        **CUSTOMER["properties"],
        "withdrawn_at": {
            **_PLACED_AT,
            "title": "Consent withdrawn at",
            "description": "When the customer took the consent back, with time zone.",
        },
    },
}
