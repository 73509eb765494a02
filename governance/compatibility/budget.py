"""Bounded work: a comparison ends in time, with an honest "undecided" where it must."""

from __future__ import annotations


class OutOfBudgetError(Exception):
    """The work allowed for one question is used up; answer "undecided"."""


class Budget:
    """Counts steps of work: some for each question, and some for all of them together."""

    def __init__(self, *, per_question: int, in_total: int) -> None:
        self._per_question = per_question
        self._in_total = in_total
        self._left = min(per_question, in_total)

    def renew(self) -> None:
        """Start the next question."""
        self._left = min(self._per_question, self._in_total)

    def spend(self, steps: int) -> None:
        """Use up some steps; raise ``OutOfBudgetError`` when none are left."""
        self._left -= steps
        self._in_total -= steps
        if self._left < 0:
            raise OutOfBudgetError
