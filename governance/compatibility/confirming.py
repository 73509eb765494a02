"""Hold an example against both schemas with ``jsonschema``, the reference validator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import urljoin, urlsplit

from jsonschema.protocols import Validator
from referencing.exceptions import NoSuchResource
from referencing.jsonschema import SchemaRegistry, SchemaResource, specification_with

from governance.compatibility.documents import Resolve, Schema, detect_dialect
from governance.compatibility.formats import VALIDATORS


class Judge:
    """Validates documents against one schema, formats asserted."""

    def __init__(self, schema: Schema, resolve: Resolve | None) -> None:
        self.schema = schema
        self.resolve = resolve
        self._validator: Validator | None = None

    def accepts(self, document: object) -> bool | None:
        """Return whether the schema accepts a document; ``None`` if the schema cannot be used."""
        try:
            return self._ready().is_valid(cast("Any", document))
        except Exception:  # noqa: BLE001  a validator may stumble in any way over a broken schema
            return None

    def _ready(self) -> Validator:
        if self._validator is None:
            kind = VALIDATORS[detect_dialect(self.schema)]
            self._validator = kind(
                self.schema,
                registry=self._registry(kind),
                format_checker=kind.FORMAT_CHECKER,
            )
        return self._validator

    def _names_of(self, uri: str) -> Iterator[str]:
        """Yield what a reference may have said for a URI, as it is known and as it was written."""
        yield uri
        base = self.schema.get("$id") if isinstance(self.schema, Mapping) else None
        if isinstance(base, str):
            folder = urljoin(base, ".")
            if uri.startswith(folder):
                yield uri.removeprefix(folder)
            yield urlsplit(uri).path

    def _registry(self, kind: type[Validator]) -> SchemaRegistry:
        resolve = self.resolve
        if resolve is None:
            return SchemaRegistry()
        written = cast("dict[str, object]", kind.META_SCHEMA)
        specification = specification_with(str(written["$schema"]))

        def retrieve(uri: str) -> SchemaResource:
            known = (resolve(name) for name in self._names_of(uri))
            found = next((schema for schema in known if schema is not None), None)
            if found is None:
                raise NoSuchResource(uri)
            return specification.create_resource(found)

        return SchemaRegistry(retrieve=retrieve)  # type: ignore[call-arg]  # an attrs class
