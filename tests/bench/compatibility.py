"""How long one comparison takes, in units of one validation by `jsonschema` in the same run.

Run it from the repository root: ``python -m tests.bench.compatibility``. The gate: a pair of nested
schemas with 300 properties takes at most 700 times what `jsonschema` needs to validate a document
of ten properties.
"""

from __future__ import annotations

import copy
import sys
import time
import timeit

from jsonschema import Draft202012Validator

from governance.compatibility import Mode, Policy, check

LARGEST_RATIO = 700
GROUPS = 30
FIELDS = 9  # and the group itself make 300 properties
ROUNDS = 7


def field(index: int) -> dict[str, object]:
    """Return one of the kinds of fields that real contracts are made of."""
    kinds: list[dict[str, object]] = [
        {"type": "string", "maxLength": 80, "title": f"Name {index}"},
        {"type": "string", "format": "date-time"},
        {"type": "integer", "minimum": 0},
        {"type": "number", "minimum": 0, "maximum": 1_000_000},
        {"enum": ["open", "paid", "sent", f"state-{index}"]},
        {"type": "array", "items": {"type": "string", "minLength": 1}, "maxItems": 20},
        {"type": "string", "pattern": "^[A-Z]{2}-[0-9]+$"},
        {"anyOf": [{"type": "string"}, {"type": "null"}]},
        {"$ref": "#/$defs/money"},
    ]
    return kinds[index % len(kinds)]


def contract() -> dict[str, object]:
    """Return a nested schema with 300 properties."""
    groups: dict[str, object] = {}
    for group in range(GROUPS):
        names = [f"field_{group}_{index}" for index in range(FIELDS)]
        groups[f"group_{group}"] = {
            "type": "object",
            "properties": {name: field(index) for index, name in enumerate(names)},
            "required": names[:3],
            "additionalProperties": group % 2 == 0,
        }
    money = {
        "type": "object",
        "properties": {"amount": {"type": "number"}, "currency": {"type": "string"}},
        "required": ["amount", "currency"],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": groups,
        "required": list(groups)[:10],
        "$defs": {"money": money},
    }


def next_version(old: dict[str, object], *, breaking: bool) -> dict[str, object]:
    """Return the contract after a busy month: every third group changes a little."""
    new = copy.deepcopy(old)
    groups = new["properties"]
    assert isinstance(groups, dict)
    for number, group in enumerate(groups.values()):
        fields = group["properties"]
        if number % 3 == 0:
            fields[f"field_{number}_0"]["maxLength"] = 60 if breaking and number < 9 else 120
            fields[f"field_{number}_2"]["minimum"] = -1
            fields[f"field_{number}_new"] = {"type": "string"}
        if breaking and number % 10 == 1:
            group["required"] = [*group["required"], f"field_{number}_4"]
            del fields[f"field_{number}_7"]
    return new


def best_seconds(statement: str, names: dict[str, object]) -> float:
    """Return the best time of one run of a statement."""
    # Processor time, not the clock: other work on the machine must not count.
    timer = timeit.Timer(statement, timer=time.process_time, globals=names)
    number, _ = timer.autorange()
    number = max(1, number // 4)
    return min(timer.repeat(repeat=ROUNDS, number=number)) / number


def validation_seconds() -> float:
    """Return what `jsonschema` takes for a document of ten properties."""
    kinds = [field(index) for index in (0, 2, 3, 4, 5, 0, 2, 3, 4, 7)]
    values = ["a", 1, 2.5, "paid", ["x"], "b", 3, 4.5, "open", None]
    schema = {
        "type": "object",
        "properties": {f"p{index}": kind for index, kind in enumerate(kinds)},
        "required": [f"p{index}" for index in range(5)],
    }
    document = {f"p{index}": value for index, value in enumerate(values)}
    validator = Draft202012Validator(schema)
    assert validator.is_valid(document)
    return best_seconds(
        "list(validator.iter_errors(document))", {"validator": validator, "document": document}
    )


def main() -> int:
    """Print the table; return 1 if a pair is slower than the gate."""
    unit = validation_seconds()
    print(f"jsonschema, ten properties: {unit * 1e6:.0f} µs")
    old = contract()
    pairs = {
        "nothing changed": copy.deepcopy(old),
        "compatible changes": next_version(old, breaking=False),
        "breaking changes": next_version(old, breaking=True),
    }
    worst = 0.0
    for name, new in pairs.items():
        for policy in Policy:
            for mode in (Mode.BACKWARD, Mode.FULL):
                names = {"check": check, "old": old, "new": new, "mode": mode, "policy": policy}
                seconds = best_seconds("check(old, new, mode=mode, policy=policy)", names)
                ratio = seconds / unit
                if mode is Mode.BACKWARD:
                    worst = max(worst, ratio)
                report = check(old, new, mode=mode, policy=policy)
                print(
                    f"{name:20} {policy.value:8} {mode.value:9} {seconds * 1e3:7.1f} ms"
                    f"  ratio {ratio:6.0f}  {report.verdict.value},"
                    f" {len(report.breaking)} breaking of {len(report.findings)}"
                )
    print(f"worst BACKWARD ratio {worst:.0f}, gate {LARGEST_RATIO}")
    return 0 if worst <= LARGEST_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
