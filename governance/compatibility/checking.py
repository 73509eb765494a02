"""Compare two schemas, or a proposal with all live versions, and report the verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from governance.compatibility.report import Mode, Policy, Report, Verdict

Schema: TypeAlias = Mapping[str, object] | bool
Resolve: TypeAlias = Callable[[str], "Schema | None"]


def check(
    old: Schema,
    new: Schema,
    *,
    mode: Mode = Mode.BACKWARD,
    policy: Policy = Policy.LENIENT,
    resolve: Resolve | None = None,
) -> Report:
    """Compare two schemas in the directions of ``mode``."""
    return check_against([("", old)], new, mode=mode, policy=policy, resolve=resolve)


def check_against(
    olds: Sequence[tuple[str, Schema]],
    new: Schema,
    *,
    mode: Mode,
    policy: Policy,
    resolve: Resolve | None = None,
) -> Report:
    """Compare a proposal with labelled versions, oldest first."""
    same = not olds or mode is Mode.NONE or all(old == new for _, old in olds)
    return Report(verdict=Verdict.COMPATIBLE if same else Verdict.UNDECIDED, findings=())
