"""Lines of the log about events and attempts, with the ids that lead to them and nothing else."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta

from delivery import envelopes
from delivery.claiming import Owed
from delivery.outgoing import Bundle, Message
from delivery.recording import Prepared
from delivery.transports import Receipt, TransportError

logger = logging.getLogger(__name__)


def is_on() -> bool:
    """Tell whether stored events are noted one by one."""
    return logger.isEnabledFor(logging.DEBUG)


def published(events: Iterable[Prepared]) -> None:
    """Note each event that was stored; at level DEBUG, since there may be thousands a second."""
    if not is_on():
        return
    for event in events:
        logger.debug(
            "An event was stored",
            extra={
                "event": event.id,
                "trace": event.accepted.text(envelopes.TRACE),
                "environment": event.accepted.publisher.environment,
            },
        )


def attempted(
    message: Message | Bundle, owed: Owed, answer: Receipt | TransportError, *, took: timedelta
) -> None:
    """Note an attempt: a failed one at INFO, one that arrived at DEBUG."""
    arrived = isinstance(answer, Receipt)
    level = logging.DEBUG if arrived else logging.INFO
    if not logger.isEnabledFor(level):
        return
    first = message.messages[0] if isinstance(message, Bundle) else message
    logger.log(
        level,
        "An attempt arrived" if arrived else "An attempt failed",
        extra={
            "event": owed.event_id,
            "delivery": owed.delivery_id,
            "subscription": owed.subscription_id,
            "trace": first.envelope.text(envelopes.TRACE),
            "attempt": owed.attempts + 1,
            "status": answer.status,
            "error_class": "" if isinstance(answer, Receipt) else answer.error_class.value,
            "duration_ms": took // timedelta(milliseconds=1),
        },
    )
