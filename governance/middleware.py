"""Note after each request what was refused in it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from governance import refusals

logger = logging.getLogger(__name__)


def note_refusals(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Write refusals once the view and its transaction are over."""

    def middleware(request: HttpRequest) -> HttpResponse:
        with refusals.collecting() as found:
            response = get_response(request)
        if found:
            try:
                refusals.note_all(found, now=timezone.now())
            except DatabaseError:
                # The refusal itself stands; an answer that is already made is not lost for it.
                logger.exception("A refusal could not be noted.")
        return response

    return middleware
