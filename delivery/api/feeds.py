"""Feeds: a subscriber asks, or listens to a stream of server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from asgiref.sync import sync_to_async
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import APIException
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.doors import EnvironmentDoor, Nothing, read
from catalog.models import User
from catalog.moves import IllegalMove
from delivery import feed
from delivery.api.shapes import Acknowledged, Acknowledgement, FeedPage, FeedQuery
from delivery.models import Subscription
from governance import keys
from governance.actions import Action
from governance.models import ApiKey

POLL_SECONDS = 1.0
STREAM_SECONDS = 600.0  # then the client comes back with Last-Event-ID; a grant may have ended
STREAM_TYPE = "text/event-stream"
MAX_STREAMS = 200  # of one process: each asks the database once a second


class Full(APIException):
    """Too many streams: come back later, or ask for the feed in pages."""

    status_code = 503
    default_code = "not-now"
    default_detail = _("There are too many streams here now. Try again.")
    wait = 5  # seconds, for Retry-After


class Streams:
    """How many streams this process has open."""

    def __init__(self) -> None:
        self.open = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """Count one for as long as the block runs."""
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1


streams = Streams()


class _Door(EnvironmentDoor[Subscription]):
    queryset = Subscription.objects.with_names().select_related("application__service_account")
    serializer_class = Nothing
    sees = Action.SUBSCRIPTION_VIEW


class Feed(_Door):
    """The events that a feed holds."""

    query_class = FeedQuery

    @extend_schema(responses=FeedPage, filters=False)
    def get(self, request: Request, pk: str) -> Response:
        """Return what stands behind `after`, else everything that is not acknowledged."""
        asked = self.asked
        page = feed.read(
            self.get_object(),
            after=asked.get("after"),
            limit=asked["limit"],
            by=self.person,
            now=timezone.now(),
        )
        here = request.build_absolute_uri(request.path)
        further = urlencode({"after": page.cursor, "limit": asked["limit"]})
        answer = {
            "results": [
                {"cursor": item.cursor, "event": json.loads(item.event)} for item in page.items
            ],
            "next": f"{here}?{further}" if page.has_more else None,
            "previous": None,
            "cursor": page.cursor,
        }
        return Response(FeedPage(answer).data)


class Ack(_Door):
    """Saying what was taken care of."""

    @extend_schema(request=Acknowledgement, responses=Acknowledged)
    def post(self, request: Request, pk: str) -> Response:
        """End everything up to the cursor as delivered."""
        cursor = read(Acknowledgement, request.data)["cursor"]
        count = feed.acknowledge(
            self.get_object(), cursor=cursor, by=self.person, now=timezone.now()
        )
        return Response(Acknowledged({"acknowledged": count, "cursor": cursor}).data)


class _Whatever(BaseContentNegotiation):
    """Takes any Accept: a stream has one form, and its errors are problems."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Return the first parser."""
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        """Return the first renderer."""
        return renderers[0], renderers[0].media_type


class Stream(_Door):
    """A feed as it comes."""

    content_negotiation_class = _Whatever

    @property
    def key(self) -> ApiKey | None:
        """Return the key that opens the stream; None for people."""
        return self.request.auth if isinstance(self.request.auth, ApiKey) else None

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "Last-Event-ID", int, OpenApiParameter.HEADER, description="Go on behind it."
            )
        ],
        responses={(200, STREAM_TYPE): OpenApiTypes.STR},
        filters=False,
    )
    def get(self, request: Request, pk: str) -> StreamingHttpResponse:
        """Send each event as it comes, `id` its cursor; acknowledge them as in a feed."""
        if streams.open >= MAX_STREAMS:
            raise Full
        last = request.headers.get("Last-Event-ID", "")
        after = int(last) if last.isdecimal() and len(last) < 19 else None
        subscription = self.get_object()
        # What a reader may not do is answered before the stream begins.
        first = feed.read(subscription, after=after, by=self.person, now=timezone.now())
        answer = StreamingHttpResponse(
            counted(stream(subscription, first, by=self.person, key=self.key)),
            content_type=STREAM_TYPE,
        )
        answer["Cache-Control"] = "no-store"
        answer["X-Accel-Buffering"] = "no"  # proxies would collect events before passing them on
        _let_go()
        return answer


async def counted(chunks: AsyncGenerator[bytes]) -> AsyncIterator[bytes]:
    """Yield the chunks of one more open stream."""
    with streams.one():
        async with aclosing(chunks):
            async for chunk in chunks:
                yield chunk


async def stream(
    subscription: Subscription,
    page: feed.Page,
    *,
    by: User,
    key: ApiKey | None = None,
    seconds: float = STREAM_SECONDS,
) -> AsyncGenerator[bytes]:
    """Yield a page and what follows it, until the time is up or the reader may read no more."""
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + seconds
    yield b"retry: 1000\n\n"
    while True:
        for item in page.items:
            yield b"id: %d\ndata: %b\n\n" % (item.cursor, item.event)
        if loop.time() >= ends_at:
            return
        if not page.has_more:
            await asyncio.sleep(POLL_SECONDS)
            yield b": waiting\n\n"  # a comment: finds out whether the client is still there
        try:
            page = await _next(subscription.pk, page.cursor, by, key)
        except (PermissionDenied, ValidationError, IllegalMove, Subscription.DoesNotExist):
            return


@sync_to_async
def _next(pk: UUID, cursor: int, by: User, key: ApiKey | None) -> feed.Page:
    now = timezone.now()
    try:
        if key is not None:
            key.refresh_from_db(fields=["revoked_at", "expires_at"])
            if not keys.is_usable(key, now):
                raise PermissionDenied(_("This key was revoked or has expired."))
        subscription = (
            Subscription.objects.with_names()
            .select_related("application__service_account")
            .get(pk=pk)
        )
        return feed.read(subscription, after=cursor, by=by, now=now)
    finally:
        _let_go()


def _let_go() -> None:
    """Close the database connection: a stream lives long, between two looks it is for others."""
    if not connection.in_atomic_block:
        connection.close()
