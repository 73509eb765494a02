"""JSON Schema documents: read them, judge them, hold data against them, show them to people.

Lives here: everything that is true of a schema alone. Pure Python: no Django, no database, no
network (a `$ref` leads into the document itself or to what the caller's `resolve` knows).
Does not: compare two schemas (`governance.compatibility`), or know house rules (`governance.lint`).
Start reading at `reading.py`, then `wellformed.py` and `validating.py`.
"""

from catalog.schemas.bundling import self_contained
from catalog.schemas.fieldtable import Field, fields
from catalog.schemas.inferring import infer
from catalog.schemas.masking import MASK, mask
from catalog.schemas.parts import FieldKind
from catalog.schemas.reading import (
    Dialect,
    Malformed,
    Problem,
    Resolve,
    Schema,
    dialect_of,
    read,
)
from catalog.schemas.rows import Row, RowKind, Unfit, apply_rows, to_rows
from catalog.schemas.samples import sample
from catalog.schemas.sentences import UNKNOWN_FIELD
from catalog.schemas.standins import Harmless, StandIn, without_sensitive
from catalog.schemas.validating import Validator, validator_for
from catalog.schemas.wellformed import problems

__all__ = [
    "MASK",
    "UNKNOWN_FIELD",
    "Dialect",
    "Field",
    "FieldKind",
    "Harmless",
    "Malformed",
    "Problem",
    "Resolve",
    "Row",
    "RowKind",
    "Schema",
    "StandIn",
    "Unfit",
    "Validator",
    "apply_rows",
    "dialect_of",
    "fields",
    "infer",
    "mask",
    "problems",
    "read",
    "sample",
    "self_contained",
    "to_rows",
    "validator_for",
    "without_sensitive",
]
