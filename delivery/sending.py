"""One attempt at one delivery: may it go, where to, and what came of it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from opentelemetry.trace import Span

from delivery import breaker, outgoing, run_log, tracing
from delivery.claiming import Owed
from delivery.mapping import MappingFailed
from delivery.outgoing import Address, Bundle, Message
from delivery.settling import HandedOver, Refused, Result
from delivery.states import SkipReason
from delivery.targets import Target
from delivery.translating import TranslationFailed
from delivery.transports import ErrorClass, Receipt, Transport, TransportError

logger = logging.getLogger(__name__)


def address_for(
    owed: Owed, target: Target, circuit: breaker.State | None, *, is_probe: bool
) -> tuple[Address | None, bool]:
    """Return where to send now, and whether the answer tells of the endpoint's health.

    No address means that it has to wait: the subscription is paused, or its circuit is open and it
    has no fallback.
    """
    if not target.is_active:
        return None, False
    if owed.goes_second and target.fallback is not None:
        return target.fallback, False
    if owed.is_replay:
        return target.primary, False
    if circuit is None or is_probe:
        return target.primary, True
    return target.fallback, False


def refusal(target: Target, message: Message, address: Address, now: datetime) -> SkipReason | None:
    """Return which rule forbids to send, None if none does."""
    if not target.is_entitled:
        return SkipReason.NO_GRANT
    if message.is_gone or message.is_expired(now):
        return SkipReason.EXPIRED
    for regions in (target.topic_regions, message.regions):
        if regions and address.region not in regions:
            return SkipReason.RESIDENCY
    return None


def handed_over(
    owed: Owed, messages: Mapping[UUID, Message], target: Target, to: Target, now: datetime
) -> list[Result]:
    """Return that another subscription takes over what goes out here, as far as rules let it."""
    results: list[Result] = []
    for one in owed.members:
        reason = refusal(target, messages[one.event_id], to.primary, now)
        results.append(
            HandedOver(owed=one, to=to.subscription_id, ended_at=now)
            if reason is None
            else Refused(owed=one, reason=reason, ended_at=now)
        )
    return results


def is_final(owed: Owed, target: Target, address: Address) -> bool:
    """Tell whether nobody else is to have what this address gives up."""
    return owed.is_replay or address is not target.primary


async def attempt(
    transport: Transport,
    message: Message | Bundle,
    target: Target,
    address: Address,
    *,
    owed: Owed,
    may_go: Callable[[], bool] | None = None,
    now: datetime,
) -> Receipt | TransportError:
    """Make the request and send it; whatever goes wrong is the answer.

    `may_go` is asked once more when a connection stands, right before the request goes out; if not,
    or cancelled, it answers `INTERRUPTED`: whoever breaks it off wants that written down.
    """
    span = tracing.begin_attempt(message, owed, address)
    began = time.monotonic()
    answer = await _send(transport, message, target, address, span=span, may_go=may_go, now=now)
    if span is not None:
        tracing.end_attempt(span, answer)
    took = timedelta(seconds=time.monotonic() - began)
    run_log.attempted(message, owed, answer, took=took)
    return answer


async def _send(
    transport: Transport,
    message: Message | Bundle,
    target: Target,
    address: Address,
    *,
    span: Span | None,
    may_go: Callable[[], bool] | None,
    now: datetime,
) -> Receipt | TransportError:
    try:
        if target.fault:
            raise TransportError(target.fault, error_class=ErrorClass.BAD_SETTINGS)
        request = outgoing.build(
            message.pinned_to(target.version_pin),
            address,
            mode=target.mode,
            mapped_by=target.mapped_by,
            timeout_seconds=target.timeout_seconds,
            timestamp=int(now.timestamp()),
        )
        if span is not None:
            request = replace(request, headers=tracing.carried(request.headers, span))
        return await transport.send(replace(request, may_go=may_go))
    except TransportError as error:
        return error
    except MappingFailed as error:
        return TransportError(
            f"The mapping does not fit this event. {error}",
            error_class=ErrorClass.MAPPING,
            permanent=True,
        )
    except TranslationFailed as error:
        return untranslated(error)
    except asyncio.CancelledError:
        return TransportError("The worker was told to stop.", error_class=ErrorClass.INTERRUPTED)
    except Exception as error:
        # One delivery that nobody foresaw must not end its lane: it is retried, and says so.
        logger.exception("An attempt broke.")
        return TransportError(
            f"The request could not be made: {type(error).__name__}.",
            error_class=ErrorClass.BAD_SETTINGS,
        )


def untranslated(error: TranslationFailed) -> TransportError:
    """Return the failure of an event that cannot be converted to what its subscriber reads."""
    return TransportError(str(error), error_class=ErrorClass.TRANSLATION, permanent=True)
