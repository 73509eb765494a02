"""What tests of deliveries share: who sends, and who receives."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from delivery.dispatch import Engine
from tests.delivery.engines import running_engine
from tests.delivery.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Run a receiver on this machine."""
    with Receiver().running() as running:
        yield running


@pytest.fixture
def engine() -> Iterator[Engine]:
    """Run an engine in this process."""
    with running_engine() as running:
        yield running
