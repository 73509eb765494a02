"""The circuit breaker of one endpoint, as a value: from a state and a result to the next state.

    closed --- 70 % of at least 10 failed in 5 min, or 10 in a row ---> open
    open ----- cool-down over, one request goes out ------------------> probing
    probing -- it succeeds -------------------------------------------> closed
    probing -- it fails: the cool-down doubles -----------------------> open

The cool-down before probe n is `min(30 s * 2 ** (n - 1), 10 min)`: 30, 60, 120, 240, 480, 600, …
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


@dataclass(frozen=True, kw_only=True, slots=True)
class BreakerPolicy:
    """When to open, and when to try again."""

    failed_share: float = 0.7
    min_requests: int = 10
    window_seconds: int = 300
    failures_in_a_row: int = 10
    probe_after_seconds: float = 30
    max_probe_after_seconds: float = 600
    # A worker that dies with the probe never reports; after this another may try.
    probe_patience_seconds: float = 60


DEFAULT = BreakerPolicy()
BUCKETS = 10  # in a window: what slides out at once is a tenth of it


class Position(StrEnum):
    """Where the circuit stands."""

    CLOSED = "closed"
    OPEN = "open"
    PROBING = "probing"


@dataclass(frozen=True, kw_only=True, slots=True)
class Bucket:
    """The results within one tenth of the window; `number` counts such tenths since 1970."""

    number: int
    succeeded: int = 0
    failed: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """All there is to know about a circuit; small enough for one column (`as_json`)."""

    position: Position = Position.CLOSED
    window: tuple[Bucket, ...] = ()
    failed_in_a_row: int = 0
    opened_at: datetime | None = None
    probe_at: datetime | None = None
    probes_failed: int = 0


CLOSED = State()


def record(state: State, *, ok: bool, now: datetime, policy: BreakerPolicy = DEFAULT) -> State:
    """Return the state after one more result."""
    return record_all(state, (ok,), now=now, policy=policy)


def record_all(
    state: State, results: Iterable[bool], *, now: datetime, policy: BreakerPolicy = DEFAULT
) -> State:
    """Return the state after these results, in their order, all at `now`.

    While the circuit is open, results of requests that were under way when it opened say nothing
    new and change nothing.
    """
    results = tuple(results)
    if state.position is Position.CLOSED and all(results):
        return _counted(state, now, policy, succeeded=len(results)) if results else state
    for ok in results:
        if state.position is Position.CLOSED:
            state = _counted(state, now, policy, succeeded=int(ok), failed=int(not ok))
        elif state.position is Position.PROBING:
            state = CLOSED if ok else _opened(state, now, policy, state.probes_failed + 1)
    return state


def may_send(state: State, now: datetime) -> bool:
    """Say whether a request may go out; unless the circuit is closed, only one: `probe` first."""
    return state.position is Position.CLOSED or (
        state.probe_at is not None and now >= state.probe_at
    )


def probe(state: State, *, now: datetime, policy: BreakerPolicy = DEFAULT) -> State:
    """Return the state while the one probing request is under way.

    To be stored only if the stored state is still `state`: so one worker wins.
    """
    if state.position is Position.CLOSED:
        return state
    return replace(
        state,
        position=Position.PROBING,
        probe_at=now + timedelta(seconds=policy.probe_patience_seconds),
    )


def hasten(state: State, *, now: datetime) -> State:
    """Return the state in which the next probe may go out at once; a closed one is left as it is.

    A probe that is under way is left alone: its answer is awaited.
    """
    return replace(state, probe_at=now) if state.position is Position.OPEN else state


def next_probe_at(state: State) -> datetime | None:
    """Return when the next probe may go out, `None` while the circuit is closed."""
    return None if state.position is Position.CLOSED else state.probe_at


def as_json(state: State) -> dict[str, object]:
    """Return the state as a JSON object; `from_json` reads it back."""
    return {
        "position": state.position.value,
        "window": [[b.number, b.succeeded, b.failed] for b in state.window],
        "failed_in_a_row": state.failed_in_a_row,
        "opened_at": state.opened_at.isoformat() if state.opened_at else None,
        "probe_at": state.probe_at.isoformat() if state.probe_at else None,
        "probes_failed": state.probes_failed,
    }


def from_json(stored: Mapping[str, object]) -> State:
    """Return the state that `as_json` wrote; an empty object is a closed circuit."""
    window = stored.get("window", [])
    return State(
        position=Position(str(stored.get("position", Position.CLOSED))),
        window=tuple(
            Bucket(number=number, succeeded=succeeded, failed=failed)
            for number, succeeded, failed in (window if isinstance(window, list) else [])
        ),
        failed_in_a_row=_count(stored.get("failed_in_a_row")),
        opened_at=_instant(stored.get("opened_at")),
        probe_at=_instant(stored.get("probe_at")),
        probes_failed=_count(stored.get("probes_failed")),
    )


def _counted(
    state: State, now: datetime, policy: BreakerPolicy, *, succeeded: int, failed: int = 0
) -> State:
    """Return a closed state that counts these, open if that breaks it; one failure at most."""
    number = int(now.timestamp() * BUCKETS // policy.window_seconds)
    kept = tuple(b for b in state.window if number - BUCKETS < b.number < number)
    latest = next((b for b in state.window if b.number == number), Bucket(number=number))
    latest = Bucket(
        number=number,
        succeeded=latest.succeeded + succeeded,
        failed=latest.failed + failed,
    )
    in_a_row = state.failed_in_a_row + 1 if failed else 0
    state = replace(state, window=(*kept, latest), failed_in_a_row=in_a_row)
    if failed and _is_broken(state, policy):
        return _opened(state, now, policy, probes_failed=0)
    return state


def _is_broken(state: State, policy: BreakerPolicy) -> bool:
    failed = sum(b.failed for b in state.window)
    requests = failed + sum(b.succeeded for b in state.window)
    return state.failed_in_a_row >= policy.failures_in_a_row or (
        requests >= policy.min_requests and failed >= policy.failed_share * requests
    )


def _opened(state: State, now: datetime, policy: BreakerPolicy, probes_failed: int) -> State:
    # 2 ** 20 times the first cool-down is past every cap; more would overflow a timedelta.
    wait = policy.probe_after_seconds * 2 ** min(probes_failed, 20)
    return State(
        position=Position.OPEN,
        window=state.window,
        failed_in_a_row=state.failed_in_a_row,
        opened_at=state.opened_at or now,
        probe_at=now + timedelta(seconds=min(wait, policy.max_probe_after_seconds)),
        probes_failed=probes_failed,
    )


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0


def _instant(value: object) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else None
