"""Changes that are more than a release: waiting, hurried, converting, routing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from config.demo.content.schemas import CUSTOMER_1_1, ORDER_1_0, ORDER_SAMPLE
from delivery.states import RuleAction


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


# Makes billing_country required and drops the e-mail: it breaks subscribers, who are asked.
ORDER_WAITS: Mapping[str, str] = {
    "version": "3.0.0",
    "document": _text(
        {
            **ORDER_1_0,
            "required": [*ORDER_1_0["required"], "billing_country"],
            "properties": {
                name: field
                for name, field in ORDER_1_0["properties"].items()
                if name != "customer_email"
            },
        }
    ),
    "example": _text(ORDER_SAMPLE),
    "changes": "Billing country is required; the customer's e-mail is gone.",
}
CUSTOMER_EMERGENCY: Mapping[str, str] = {
    "version": "1.1.0",
    "document": _text(CUSTOMER_1_1),
    "example": _text(
        {
            "customer_id": "C-2201",
            "updated_at": "2026-11-22T09:12:44Z",
            "newsletter": False,
            "withdrawn_at": "2026-11-22T09:12:40Z",
        }
    ),
    "changes": "Says when a consent was withdrawn.",
}
# What 1.x does not know, such as the channel, is left out.
ORDER_CONVERSION: Mapping[str, Any] = {
    "from_major": 2,
    "to_major": 1,
    "mapping": "{order_id: order_id, total: total, lines: lines, placed_at: placed_at}",
}
STOP_THE_PARCEL: Mapping[str, Any] = {
    "name": "Cancelled orders stop the parcel",
    "position": 10,
    "action": RuleAction.SEND_ALSO,
    "event_types": ["com.acme.sales.order.cancelled"],
}
