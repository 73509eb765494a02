"""Documents that are asked for again and again: unchanged ones are answered without their body."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, quote_etag
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request


class AsStored(BaseContentNegotiation):
    """Takes any Accept: the document has one form."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Return the first parser."""
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        """Return the first renderer."""
        return renderers[0], renderers[0].media_type


def document(
    request: Request, body: bytes, *, content_type: str, changed_at: datetime | None = None
) -> HttpResponseBase:
    """Return the document, or 304 to whoever has these bytes already (RFC 9110, section 13).

    What is in it depends on who asks, so nobody between may keep it.
    """
    answer = HttpResponse(body, content_type=content_type)
    answer["ETag"] = quote_etag(hashlib.sha256(body).hexdigest())
    answer["Cache-Control"] = "private, no-cache"
    since = int(changed_at.timestamp()) if changed_at else None
    if since is not None:
        answer["Last-Modified"] = http_date(since)
    return (
        get_conditional_response(
            request._request, etag=answer["ETag"], last_modified=since, response=answer
        )
        or answer
    )
