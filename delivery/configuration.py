"""The settings that delivery's core goes by: the one place of it that reads them."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_network

from django.conf import settings

from delivery.addresses import Network
from delivery.breaker import BreakerPolicy
from delivery.retrying import RetryPolicy


def encryption_keys() -> tuple[str, ...]:
    """Return the Fernet keys, the one that encrypts first."""
    return tuple(settings.FIELD_ENCRYPTION_KEYS)


def allowed_networks() -> tuple[Network, ...]:
    """Return the private networks that outbound requests may reach."""
    return _networks(tuple(settings.DELIVERY_ALLOWED_NETWORKS))


def public_url() -> str:
    """Return where people and machines reach this copy, without a slash at its end."""
    return str(settings.PUBLIC_URL)


def publish_rate_per_second() -> int:
    """Return how many events a second one API key may publish through one web process."""
    return int(settings.PUBLISH_RATE_PER_SECOND)


def retry_policy() -> RetryPolicy:
    """Return how deliveries are tried again where their subscription does not say."""
    return RetryPolicy(
        waits_seconds=tuple(settings.DELIVERY_RETRY_WAITS_SECONDS),
        overload_floor_seconds=settings.DELIVERY_OVERLOAD_FLOOR_SECONDS,
    )


def breaker_policy() -> BreakerPolicy:
    """Return when circuits open and probe."""
    return BreakerPolicy(probe_after_seconds=settings.DELIVERY_PROBE_SECONDS)


def lease_seconds() -> int:
    """Return how long a worker may hold a delivery before another one takes it."""
    return int(settings.DELIVERY_LEASE_SECONDS)


def kept_days() -> int:
    """Return for how many days events, deliveries and attempts are kept, at least."""
    return int(settings.DELIVERY_KEPT_DAYS)


def identities_kept_days() -> int:
    """Return for how many days a repeated event is known as one."""
    return int(settings.DELIVERY_IDENTITIES_KEPT_DAYS)


def replay_approval_above() -> int:
    """Return how many deliveries a replay may have before a second person must approve it."""
    return int(settings.DELIVERY_REPLAY_APPROVAL_ABOVE)


def replay_rate_per_second() -> int:
    """Return how fast a replay goes that names no rate."""
    return int(settings.DELIVERY_REPLAY_RATE_PER_SECOND)


@lru_cache(maxsize=8)
def _networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(text, strict=False) for text in texts)
