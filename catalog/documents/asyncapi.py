"""AsyncAPI 3.0 of topics, as a JSON value. Pure. Source: asyncapi.com, specification 3.0.0.

It describes Signalbox's side: it *receives* what publishers post, and *sends* to subscribers. Each
topic is a channel, each version of an event type a message of it. Payloads are AsyncAPI schemas
(draft-07 with more): references are rewritten to lead into this one document, and `externalDocs`
names the schema as it is stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalog import schemas
from catalog.schemas.bundling import Bundle

CONTENT_TYPE = "application/json"


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerDoc:
    """Where events are published: `url` is the installation's own, without a path."""

    environment: str
    url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionDoc:
    """One version of a contract: `environments` that accept it; `sunset` is RFC 3339 or ""."""

    version: str
    schema: schemas.Schema
    schema_url: str
    example: object = None
    has_example: bool = False
    changes: str = ""
    environments: tuple[str, ...] = ()
    sunset: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class EventDoc:
    """An event type with its versions, newest first."""

    name: str
    title: str
    description: str = ""
    happens_when: str = ""
    tags: tuple[str, ...] = ()
    versions: tuple[VersionDoc, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class TopicDoc:
    """A topic with what it promises; `promises` are shown as `x-` members of its channel."""

    name: str
    title: str
    description: str = ""
    domain: str = ""
    owner: str = ""
    promises: Mapping[str, object] = field(default_factory=dict)
    events: tuple[EventDoc, ...] = ()


def build(
    topics: Sequence[TopicDoc],
    *,
    title: str,
    version: str,
    description: str = "",
    servers: Sequence[ServerDoc] = (),
    resolve: schemas.Resolve | None = None,
) -> dict[str, Any]:
    """Return the document; topics without an accepted version are channels without messages."""
    bundle = Bundle(resolve, place="#/components/schemas")
    messages: dict[str, Any] = {}
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for topic in topics:
        names = []
        for event, one in _versions(topic):
            name = f"{event.name}.{one.version}"
            messages[name] = _message(event, one, bundle.add(name, one.schema))
            names.append(name)
        channels[topic.name] = _channel(topic, names)
        if names:
            operations |= _operations(topic)
    info: dict[str, Any] = {"title": title, "version": version}
    if description:
        info["description"] = description
    return {
        "asyncapi": "3.0.0",
        "info": info,
        "defaultContentType": CONTENT_TYPE,
        "servers": {server.environment: _server(server) for server in servers},
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": messages,
            "schemas": bundle.schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "apiKey": {"type": "httpApiKey", "name": "X-API-Key", "in": "header"},
            },
        },
    }


def _versions(topic: TopicDoc) -> Iterator[tuple[EventDoc, VersionDoc]]:
    for event in topic.events:
        for version in event.versions:
            yield event, version


def _channel(topic: TopicDoc, names: Sequence[str]) -> dict[str, Any]:
    channel: dict[str, Any] = {"address": topic.name, "title": topic.title}
    if topic.description:
        channel["description"] = topic.description
    channel["messages"] = {name: {"$ref": f"#/components/messages/{name}"} for name in names}
    if topic.domain:
        channel["tags"] = [{"name": topic.domain}]
    if topic.owner:
        channel["x-owner"] = topic.owner
    return channel | {f"x-{name}": value for name, value in topic.promises.items()}


def _operations(topic: TopicDoc) -> dict[str, Any]:
    channel = {"$ref": f"#/channels/{topic.name}"}
    return {
        f"receive.{topic.name}": {
            "action": "receive",
            "channel": channel,
            "title": f"Publish to {topic.title}",
            "summary": "POST a CloudEvent to /api/v1/events.",
            "bindings": {"http": {"method": "POST", "bindingVersion": "0.3.0"}},
        },
        f"send.{topic.name}": {
            "action": "send",
            "channel": channel,
            "title": f"Subscribe to {topic.title}",
            "summary": "A signed POST to the subscription's endpoint, or a feed that it asks.",
        },
    }


def _message(event: EventDoc, version: VersionDoc, payload: str) -> dict[str, Any]:
    message: dict[str, Any] = {
        "name": event.name,
        "title": f"{event.title} {version.version}",
        "contentType": CONTENT_TYPE,
        "headers": _headers(event, version),
        "payload": {"$ref": payload},
        "externalDocs": {"url": version.schema_url, "description": "The schema as it is stored."},
        "x-version": version.version,
        "x-environments": list(version.environments),
    }
    described = "\n\n".join(part for part in (event.description, event.happens_when) if part)
    if described:
        message["description"] = described
    if event.tags:
        message["tags"] = [{"name": tag} for tag in event.tags]
    if version.changes:
        message["x-changes"] = version.changes
    if version.sunset:
        message["x-sunset"] = version.sunset
    if version.has_example and isinstance(version.example, Mapping):
        message["examples"] = [
            {
                "name": "sample",
                "payload": schemas.mask(version.example, version.schema),
                "headers": _sample_headers(event, version),
            }
        ]
    return message


def _headers(event: EventDoc, version: VersionDoc) -> dict[str, Any]:
    """Return the CloudEvents attributes of the binary mode as a schema."""
    return {
        "type": "object",
        "required": ["ce-specversion", "ce-type", "ce-source", "ce-id"],
        "properties": {
            "ce-specversion": {"const": "1.0"},
            "ce-type": {"const": event.name},
            "ce-source": {"type": "string", "minLength": 1},
            "ce-id": {"type": "string", "minLength": 1},
            "ce-time": {"type": "string", "format": "date-time"},
            "ce-subject": {"type": "string"},
            "ce-dataschema": {"const": version.schema_url},
        },
    }


def _sample_headers(event: EventDoc, version: VersionDoc) -> dict[str, str]:
    return {
        "ce-specversion": "1.0",
        "ce-type": event.name,
        "ce-source": "/example",
        "ce-id": "1",
        "ce-dataschema": version.schema_url,
    }


def _server(server: ServerDoc) -> dict[str, Any]:
    protocol, _colon, host = server.url.partition("://")
    return {
        "host": host,
        "protocol": protocol,
        "description": f"The {server.environment} environment: the API key decides.",
        "security": [
            {"$ref": "#/components/securitySchemes/bearer"},
            {"$ref": "#/components/securitySchemes/apiKey"},
        ],
    }
