"""The publish path in the OpenAPI document: it is no view, so nothing could be read off it."""

from __future__ import annotations

from typing import Any

PATH = "/api/v1/events"
_TEXT: dict[str, Any] = {"type": "string"}
_EVENT: dict[str, Any] = {
    "type": "object",
    "description": "A CloudEvent 1.0 with JSON data; further attributes are extensions.",
    "required": ["specversion", "id", "source", "type"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "minLength": 1},
        "source": {"type": "string", "minLength": 1},
        "type": {"type": "string", "minLength": 1},
        "subject": _TEXT,
        "time": {"type": "string", "format": "date-time"},
        "dataschema": {"type": "string", "format": "uri"},
        "datacontenttype": _TEXT,
        "data": {},
    },
}
_ACCEPTED: dict[str, Any] = {
    "type": "object",
    "required": ["id", "source", "status"],
    "properties": {
        "id": _TEXT,
        "source": _TEXT,
        "status": {"enum": ["accepted", "duplicate", "refused"]},
        "deliveries": {"type": "integer"},
    },
}
_BATCH: dict[str, Any] = {
    "type": "object",
    "required": ["events"],
    "properties": {"events": {"type": "array", "items": {"$ref": "#/components/schemas/Accepted"}}},
}
_OPERATION: dict[str, Any] = {
    "operationId": "events_publish",
    "summary": "Publish events",
    "description": (
        "CloudEvents 1.0 over HTTP: structured, batched, or binary with ce-* headers. What is "
        "answered 202 is stored; nothing else is."
    ),
    "tags": ["events"],
    "parameters": [
        {
            "in": "query",
            "name": "partial",
            "schema": {"type": "boolean"},
            "description": "Of a batch, store the good ones and name the others.",
        }
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/cloudevents+json": {"schema": {"$ref": "#/components/schemas/CloudEvent"}},
            "application/cloudevents-batch+json": {
                "schema": {"type": "array", "items": {"$ref": "#/components/schemas/CloudEvent"}}
            },
            "application/json": {"schema": {"description": "The data alone, in binary mode."}},
        },
    },
    "responses": {
        "202": {
            "description": "Stored, or known already.",
            "content": {
                "application/json": {
                    "schema": {
                        "oneOf": [
                            {"$ref": "#/components/schemas/Accepted"},
                            {"$ref": "#/components/schemas/AcceptedBatch"},
                        ]
                    }
                }
            },
        }
    },
}


def add_publishing(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """Put `POST /api/v1/events` beside its GET, for the same keys."""
    events = result["paths"].get(PATH)
    if events is None:
        return result
    result["components"]["schemas"].update(
        {"CloudEvent": _EVENT, "Accepted": _ACCEPTED, "AcceptedBatch": _BATCH}
    )
    keys = [one for one in events["get"].get("security", []) if "cookieAuth" not in one]
    events["post"] = {**_OPERATION, "security": keys}
    return result
