"""The portal for an ASGI server: the publish path by itself, everything else through Django.

Django's handler opens a thread pool for every request; that is fine for pages and costs twenty
times the work of accepting an event.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
pages = get_asgi_application()

edge: Any = None
if importlib.util.find_spec("delivery.edge"):
    edge = importlib.import_module("delivery.edge")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PUBLISH_PATH = "/api/v1/events"
PUBLISH_METHODS = frozenset({"POST", "OPTIONS"})

logger = logging.getLogger(__name__)


async def application(scope: Message, receive: Receive, send: Send) -> None:
    """Answer one request, or live through the server's start and stop."""
    if scope["type"] == "http":
        is_publish = scope["path"] == PUBLISH_PATH and scope["method"] in PUBLISH_METHODS
        await (edge.application if edge and is_publish else pages)(scope, receive, send)
    elif scope["type"] == "lifespan":
        await _live(receive, send)
    else:
        await send({"type": "websocket.close", "code": 1000})


async def _live(receive: Receive, send: Send) -> None:
    await receive()
    try:
        if edge:
            await edge.start()
    except Exception as error:
        logger.exception("The publish path could not start")
        await send({"type": "lifespan.startup.failed", "message": str(error)})
        raise
    await send({"type": "lifespan.startup.complete"})
    await receive()
    if edge:
        await edge.stop()
    await send({"type": "lifespan.shutdown.complete"})
