"""Measure: `python -m tests.bench [names] [--gate] [--json FILE]`.

Each module of this folder with a `run() -> list[Measurement]` is a bench. They start their own
servers, workers and receivers, on a database of their own; the test run never calls them.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from tests import bench
from tests.bench.measuring import Measurement

HERE = Path(bench.__file__).parent


def main(arguments: list[str]) -> int:
    """Run the benches and print their table; 1 when `--gate` finds a goal missed, or one failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", help="benches to run; all when none is named")
    parser.add_argument("--gate", action="store_true", help="fail when a goal is missed")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args(arguments)
    known = names()
    unknown = set(options.names) - set(known)
    if unknown:
        parser.error(f"no such bench: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    found: dict[str, list[Measurement]] = {}
    failed = []
    for name in options.names or known:
        started = time.monotonic()
        print(f"{name} …", flush=True)
        try:
            found[name] = importlib.import_module(f"tests.bench.{name}").run()
        except (Exception, pytest.fail.Exception, pytest.skip.Exception) as error:  # noqa: BLE001 - one broken bench must not hide the others
            failed.append(name)
            print(f"  failed: {type(error).__name__}: {error}")
            continue
        show(found[name])
        print(f"  took {time.monotonic() - started:.0f} s\n", flush=True)
    if options.json:
        options.json.write_text(json.dumps(_document(found), indent=2) + "\n")
    missed = [one.name for figures in found.values() for one in figures if not one.is_reached]
    if missed:
        print(f"Missed: {'; '.join(missed)}")
    return 1 if failed or (options.gate and missed) else 0


def names() -> list[str]:
    """Return the names of all benches: modules here that define `run`."""
    return sorted(
        module.name
        for module in pkgutil.iter_modules([str(HERE)])
        if not module.ispkg and "\ndef run(" in (HERE / f"{module.name}.py").read_text()
    )


def show(figures: list[Measurement]) -> None:
    """Print one bench's figures as a table."""
    width = max((len(one.name) for one in figures), default=0)
    for one in figures:
        mark = " " if not one.goal else "✓" if one.is_reached else "✗"
        value = f"{one.value:,.3g}" if one.value < 1000 else f"{one.value:,.0f}"
        print(f"  {mark} {one.name:<{width}}  {value:>9} {one.unit:<9} {one.goal:<8} {one.detail}")


def _document(found: dict[str, list[Measurement]]) -> dict[str, object]:
    return {
        name: [{**asdict(one), "is_reached": one.is_reached} for one in figures]
        for name, figures in found.items()
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
