"""Whom would a new schema break? For build pipelines."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import ValidationError
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog import referring, schemas
from catalog.api.doors import Asking, read
from governance import compatibility
from governance.api.compatibility_shapes import Pair, ReportShape
from governance.proposals import at


class Compatibility(Asking):
    """Comparing two schemas."""

    @extend_schema(request=Pair, responses=ReportShape)
    def post(self, request: Request) -> Response:
        """Say whether the new schema is compatible with the old one, and every change."""
        pair = read(Pair, request.data)
        _refuse_malformed(pair)
        report = compatibility.check(
            pair["old"],
            pair["new"],
            mode=compatibility.Mode(pair["mode"]),
            policy=compatibility.Policy(pair["policy"]),
            resolve=referring.resolve,
        )
        return Response(told(report))


def told(report: compatibility.Report) -> dict[str, object]:
    """Return the report as the API shows it."""
    plain = report.to_json()
    findings: Any = plain["findings"]
    return {**plain, "findings": [_writable(finding) for finding in findings]}


def _refuse_malformed(pair: dict[str, Any]) -> None:
    """Raise a ValidationError that points into the schema at fault, for each fault."""
    faults = [
        at(problem.message, f"/{name}{problem.pointer}", code="schema")
        for name in ("old", "new")
        for problem in schemas.problems(json.dumps(pair[name]), resolve=referring.resolve)
    ]
    if faults:
        raise ValidationError(faults)


def _writable(finding: dict[str, object]) -> dict[str, object]:
    """Drop an example document that UTF-8 cannot hold: half a surrogate pair."""
    try:
        json.dumps(finding, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return {name: value for name, value in finding.items() if name != "witness"}
    return finding
