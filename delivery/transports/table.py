"""Which transports there are: the kind that an endpoint names, and what makes its transport."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum

from delivery.addresses import Network
from delivery.transports import Transport
from delivery.transports.webhook import WebhookTransport


class Kind(StrEnum):
    """The kinds of endpoints that events are sent to."""

    WEBHOOK = "webhook"


_MAKERS: dict[Kind, Callable[[Sequence[Network]], Transport]] = {
    Kind.WEBHOOK: lambda networks: WebhookTransport(allowed_networks=networks),
}


def make_all(*, allowed_networks: Sequence[Network]) -> dict[Kind, Transport]:
    """Return one transport of each kind, for one process and one event loop."""
    return {kind: make(allowed_networks) for kind, make in _MAKERS.items()}
