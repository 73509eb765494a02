"""The portal for an ASGI server: the publish path by itself, everything else through Django.

Django's handler opens a thread pool for every request; that is fine for pages and costs twenty
times the work of accepting an event.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
pages: Any = get_asgi_application()

from config import telemetry  # noqa: E402 - see below
from delivery import asgi as publish  # noqa: E402 - models exist only now
from delivery import waking  # noqa: E402 - see above

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
        await (publish.application if is_publish else pages)(scope, receive, send)
    elif scope["type"] == "lifespan":
        await _live(receive, send)
    else:
        await send({"type": "websocket.close", "code": 1000})


async def _live(receive: Receive, send: Send) -> None:
    await receive()
    telemetry.start()
    try:
        await publish.startup()
        waking.get_ready()
    except Exception as error:
        logger.exception("The publish path could not start")
        await send({"type": "lifespan.startup.failed", "message": str(error)})
        raise
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await publish.shutdown()
    telemetry.stop()
    await send({"type": "lifespan.shutdown.complete"})
