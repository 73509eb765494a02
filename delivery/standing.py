"""How a subscription fares, in one word of the status vocabulary."""

from __future__ import annotations

from delivery.models import Circuit, Subscription
from delivery.states import CircuitState, SubscriptionState


def standing(subscription: Subscription) -> str:
    """Return active, slowed, flaky, failing, paused or disabled; needs `with_names()`.

    Failing: its circuit is open. Slowed: a probe is under way. Flaky: it answered an error last.
    """
    if subscription.state != SubscriptionState.ACTIVE:
        return str(subscription.state)
    circuit: Circuit | None = getattr(subscription, "circuit", None)
    if circuit is None or (circuit.last_failure_at is None):
        return "active"
    if circuit.state == CircuitState.OPEN:
        return "failing"
    if circuit.state == CircuitState.PROBING:
        return "slowed"
    if circuit.last_success_at is None or circuit.last_failure_at > circuit.last_success_at:
        return "flaky"
    return "active"
