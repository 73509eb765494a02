"""The support desk's journeys in Chromium: on the demo alone, and with a million deliveries behind.

Each size runs the very tests of `tests/journeys` against a portal of its own, so a journey that no
longer works with a million fails the bench. What counts is the time from the first click to the
last; `BENCH_DELIVERIES` sets the larger size.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from tests.bench.measuring import Measurement

LARGE = int(os.environ.get("BENCH_DELIVERIES", "1000000"))
JOURNEYS = ("tests/journeys/test_support_desk.py", "tests/journeys/test_live.py")
# A journey also waits for workers and for pages that refresh themselves.
LARGEST_RATIO = 1.5
PATIENCE_SECONDS = 1_500


def run() -> list[Measurement]:
    """Walk every journey at both sizes; compare their times."""
    small, large = _walked(0), _walked(LARGE)
    both, with_past = sum(small.values()), sum(large.values())
    each = [
        Measurement(
            name=name,
            value=large[name],
            unit="s",
            detail=f"{seconds:.1f} s on the demo alone",
        )
        for name, seconds in small.items()
    ]
    return [
        Measurement(
            name=f"all journeys with {LARGE:,} deliveries ÷ on the demo alone",
            value=with_past / both,
            unit="",
            at_most=LARGEST_RATIO,
            detail=f"{with_past:.0f} s ÷ {both:.0f} s",
        ),
        *each,
    ]


def _walked(past: int) -> dict[str, float]:
    """Return how many seconds each journey took with so many past deliveries."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "journeys.xml"
        subprocess.run(
            [
                sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", f"--junitxml={report}",
                "-o", "junit_duration_report=call", *JOURNEYS,
            ],
            env={**os.environ, "JOURNEY_DELIVERIES": str(past)},
            check=True,
            timeout=PATIENCE_SECONDS,
        )  # fmt: skip
        cases = ElementTree.parse(report).iter("testcase")
        return {str(one.get("name")): float(one.get("time", 0)) for one in cases}
