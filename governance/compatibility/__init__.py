"""The JSON Schema compatibility engine: does a new contract hurt anybody, and whom.

Lives here: a decision (is every document of the writer's schema one of the reader's) and the
sentences, pointers and example documents that explain it. Pure Python: no Django, no network.
Does not: who may approve what follows from a verdict (`governance.reviews`).
Start reading at `checking.py`, then `comparing.py` (the walk) and `solving.py` (the decision).
"""

from governance.compatibility.checking import check, check_against
from governance.compatibility.documents import Resolve, Schema
from governance.compatibility.paths import FieldPath, field_paths
from governance.compatibility.report import (
    Direction,
    Finding,
    Kind,
    Mode,
    Policy,
    Report,
    Severity,
    Verdict,
)

__all__ = [
    "Direction",
    "FieldPath",
    "Finding",
    "Kind",
    "Mode",
    "Policy",
    "Report",
    "Resolve",
    "Schema",
    "Severity",
    "Verdict",
    "check",
    "check_against",
    "field_paths",
]
