"""What the OpenAPI document says beyond what drf-spectacular reads off the views."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema

PROBLEM = "Problem"
_PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "What went wrong, where, and how to mend it (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "urn:signalbox:problem:…"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "description": "Where a document is at fault: a JSON pointer and a sentence.",
            "items": {
                "type": "object",
                "required": ["pointer", "message"],
                "properties": {"pointer": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
_METHODS = ("get", "post", "put", "patch", "delete")


class Described(AutoSchema):
    """Reads a door's parameters off its `query_class`."""

    def get_override_parameters(self) -> list[Any]:
        """Return the parameters of a GET; bodies speak for the other methods."""
        query_class = getattr(self.view, "query_class", None)
        is_asked = query_class is not None and query_class().fields and self.method == "GET"
        return [query_class] if is_asked else []


def add_problems(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """Say of every operation how it answers when it cannot do what was asked."""
    result.setdefault("components", {}).setdefault("schemas", {})[PROBLEM] = _PROBLEM_SCHEMA
    answer = {
        "description": "It could not be done; the body says why.",
        "content": {
            "application/problem+json": {"schema": {"$ref": f"#/components/schemas/{PROBLEM}"}}
        },
    }
    for operations in result["paths"].values():
        for method in _METHODS:
            if method in operations:
                operations[method]["responses"].setdefault("default", answer)
    return result
