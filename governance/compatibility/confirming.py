"""Hold an example against both schemas with ``jsonschema``, the reference validator."""

from __future__ import annotations


from jsonschema.protocols import Validator
from referencing import Registry, Resource
from referencing.exceptions import NoSuchResource
from referencing.jsonschema import specification_with

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
            return self._ready().is_valid(document)
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

    def _registry(self, kind: type[Validator]) -> Registry[object]:
        if self.resolve is None:
            return Registry()
        specification = specification_with(str(kind.META_SCHEMA.get("$schema", kind.META_SCHEMA.get("id"))))

        def retrieve(uri: str) -> Resource[object]:
            found = self.resolve(uri) if self.resolve else None
            if found is None:
                raise NoSuchResource(ref=uri)
            return Resource.from_contents(found, default_specification=specification)

        return Registry(retrieve=retrieve)


