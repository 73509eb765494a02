"""The catalog as files: an archive out, and an archive in."""

from __future__ import annotations

import json
from typing import IO, Any

from django.core.exceptions import ValidationError
from django.http import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from catalog import files
from catalog.api.conditional import AsStored, document
from catalog.api.doors import Asking
from catalog.files import Unreadable
from catalog.files.archives import CONTENT_TYPE
from governance import access, catalog_files, imports
from governance.actions import Action

MAX_UPLOAD_BYTES = 16 * 1024 * 1024


class ArchiveParser(BaseParser):
    """Takes a zip archive as it is."""

    media_type = CONTENT_TYPE

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None
    ) -> Any:
        """Return the bytes. Raises ValidationError for more than the ceiling."""
        found: bytes = stream.read(MAX_UPLOAD_BYTES + 1)
        if len(found) > MAX_UPLOAD_BYTES:
            raise ValidationError(_("The archive is larger than 16 MiB."))
        return found


class ImportQuery(serializers.Serializer[Any]):
    """How to bring files in; with `dry_run` nothing is changed."""

    dry_run = serializers.BooleanField(default=False)
    reason = serializers.CharField(default="", allow_blank=True)


class DifferenceShape(serializers.Serializer[Any]):
    """A value that the files say and that is another here; both as JSON text."""

    name = serializers.CharField()
    here = serializers.CharField()
    wanted = serializers.CharField()


class StepShape(serializers.Serializer[Any]):
    """One thing that the files would change."""

    subject = serializers.CharField()
    sentence = serializers.CharField()
    way = serializers.ChoiceField(choices=[str(way) for way in imports.Way])
    may = serializers.BooleanField()
    differences = DifferenceShape(many=True)


class ImportShape(serializers.Serializer[Any]):
    """The steps, and the numbers of the change requests that were opened."""

    steps = StepShape(many=True)
    changes = serializers.ListField(child=serializers.CharField())


class Export(Asking):
    """The catalog as an archive."""

    content_negotiation_class = AsStored

    @extend_schema(responses={(200, CONTENT_TYPE): OpenApiTypes.BINARY})
    def get(self, request: Request) -> HttpResponseBase:
        """Return everything that the person may see; the same catalog makes the same bytes."""
        body = files.pack(catalog_files.of(self.person, now=timezone.now()))
        answer = document(request, body, content_type=CONTENT_TYPE)
        answer["Content-Disposition"] = f'attachment; filename="{catalog_files.FILE_NAME}"'
        return answer


class Import(Asking):
    """Files that come in."""

    parser_classes = (ArchiveParser,)
    query_class = ImportQuery

    @extend_schema(
        parameters=[ImportQuery],
        request={CONTENT_TYPE: OpenApiTypes.BINARY},
        responses=ImportShape,
    )
    def post(self, request: Request) -> Response:
        """Say what the files would change; without `dry_run` do it, and open the reviews."""
        asked, now = self.asked, timezone.now()
        access.require(self.person, Action.CHANGE_PROPOSE, now=now)
        try:
            sent: object = request.data
            wanted = files.read(files.unpack(sent if isinstance(sent, bytes) else b""))
        except Unreadable as error:
            raise ValidationError(str(error).replace("%", "%%")) from None
        if asked["dry_run"]:
            steps, changes = imports.plan(wanted, by=self.person, now=now), []
        else:
            if not asked["reason"].strip():
                raise ValidationError({"reason": _("Say why the files come in.")})
            done = imports.carry_out(wanted, reason=asked["reason"], by=self.person, now=now)
            steps, changes = list(done.taken), [str(one) for one in done.changes]
        return Response({"steps": [_told(step) for step in steps], "changes": changes})


def _told(step: imports.Step) -> dict[str, object]:
    return {
        "subject": step.subject,
        "sentence": step.sentence,
        "way": str(step.way),
        "may": step.may,
        "differences": [
            {"name": name, "here": _text(here), "wanted": _text(wanted)}
            for name, here, wanted in step.differences
        ],
    }


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
