"""Where a `$ref` that leaves its document leads: to a version's schema in this catalog."""

from __future__ import annotations

import json
import re
from functools import lru_cache

from catalog import schemas
from catalog.models import SchemaVersion

# The path of `…/versions/{version}/schema` (design, section 6.3), whatever host stands before it:
# nothing is fetched, so a schema written for one installation can be read in another.
_SCHEMA_PATH = re.compile(
    r"^(?:https?://[^/?#]+)?/api/v1/event-types/(?P<name>[^/?#]+)/versions/(?P<version>[^/?#]+)"
    r"/schema$"
)


def resolve(uri: str) -> schemas.Schema | None:
    """Return the schema that the URI names in the catalog, None for any other URI."""
    found = _SCHEMA_PATH.match(uri)
    if found is None:
        return None
    row = (
        SchemaVersion.objects.filter(event_type__name=found["name"], version=found["version"])
        .values_list("document", flat=True)
        .first()
    )
    return None if row is None else _parsed(row)


def self_contained(document: str) -> str:
    """Return a stored schema as text that draws on nothing outside itself."""
    schema = _parsed(document)
    alone = schemas.self_contained(schema, resolve=resolve)
    return document if alone is schema else json.dumps(alone)


def schema_path(event_type_name: str, version: str) -> str:
    """Return the path at which a version's schema is served, and referred to."""
    return f"/api/v1/event-types/{event_type_name}/versions/{version}/schema"


@lru_cache(maxsize=256)
def _parsed(document: str) -> schemas.Schema:
    return schemas.read(document)
