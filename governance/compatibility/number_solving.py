"""Find a number within bounds that is, and is not, a multiple of some divisors."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import islice

from governance.compatibility import formulas as f
from governance.compatibility.outcomes import NONE, UNKNOWN, Outcome, found
from governance.compatibility.values import exact, is_float_multiple, plain

MOST_TRIES = 5000
FINEST = Fraction(1, 2**53)  # of a double; whole numbers are exact up to its inverse


class Range:
    """What the formulas ask of a number, put together."""

    def __init__(self, atoms: Iterable[f.Formula]) -> None:
        self.low: Fraction | None = None
        self.high: Fraction | None = None
        self.low_open = self.high_open = False
        self.step: Fraction | None = None
        self.steps: set[Fraction] = set()
        self.not_steps: list[Fraction] = []
        self.avoided: set[Fraction] = set()
        for atom in atoms:
            self._read(atom)

    def _read(self, atom: f.Formula) -> None:
        match atom:
            case f.AtLeast():
                if self.low is None or (atom.bound, atom.strict) > (self.low, self.low_open):
                    self.low, self.low_open = atom.bound, atom.strict
            case f.AtMost():
                if self.high is None or (-atom.bound, atom.strict) > (-self.high, self.high_open):
                    self.high, self.high_open = atom.bound, atom.strict
            case f.MultipleOf(negated=True):
                self.not_steps.append(atom.divisor)
            case f.MultipleOf():
                self.step = common_multiple(self.step, atom.divisor)
                self.steps.add(atom.divisor)
            case f.NoneOfValues():
                self.avoided.update(exact(value) for _, value in atom.values)

    def admits(self, number: Fraction) -> bool:
        """Return whether a number fits."""
        if self.low is not None and (number < self.low or (self.low_open and number == self.low)):
            return False
        if self.high is not None and (
            number > self.high or (self.high_open and number == self.high)
        ):
            return False
        if self.step is not None and number % self.step != 0:
            return False
        return number not in self.avoided and all(number % one != 0 for one in self.not_steps)

    @property
    def is_exact(self) -> bool:
        """Return whether each whole number within the bounds is one to binary floating point."""
        return all(end is not None and abs(end) * FINEST <= 1 for end in (self.low, self.high))

    def is_seen_alike(self, number: int | float) -> bool:
        """Return whether validators, which divide floats, see the multiples as they are."""
        return all(is_float_multiple(number, one) for one in self.steps) and not any(
            is_float_multiple(number, one) for one in self.not_steps
        )


def common_multiple(one: Fraction | None, other: Fraction) -> Fraction:
    """Return the least common multiple of two fractions."""
    if one is None:
        return other
    return Fraction(
        math.lcm(one.numerator, other.numerator), math.gcd(one.denominator, other.denominator)
    )


def survives_floats(wanted: Range, step: Fraction, divisor: Fraction) -> bool:
    """Return whether binary floating point agrees that these multiples of a step are of a divisor.

    Validators divide floats: 0.35 is a multiple of 0.01 to them, and not of 0.001; 7 is none of
    0.07; and 1e308 overflows. A large step may have been written as a float, which lets through
    what only rounds to a multiple: 1e23 is one of 1e22. A quotient of whole numbers comes out whole
    if the divisor is rounded by at most half of what the quotient is.
    """
    if step * FINEST > 1:
        return False
    if divisor.denominator & (divisor.denominator - 1) == 0:
        return True
    rounding = abs(Fraction(float(divisor)) / divisor - 1)
    return step.denominator == 1 and rounding <= FINEST / 2 and wanted.is_exact


def solve(atoms: Iterable[f.Formula]) -> Outcome:
    """Return a number that fits, the proof that none does, or unknown."""
    wanted = Range(atoms)
    if wanted.low is not None and wanted.high is not None and wanted.low > wanted.high:
        return NONE
    if wanted.step is not None:
        return _among_multiples(wanted, wanted.step)
    if wanted.low is not None and wanted.low == wanted.high:
        return found(plain(wanted.low)) if wanted.admits(wanted.low) else NONE
    for number in islice(_between(wanted), MOST_TRIES):
        if wanted.admits(number):
            return found(plain(number))
    return UNKNOWN


def _among_multiples(wanted: Range, step: Fraction) -> Outcome:
    contradictions = [one for one in wanted.not_steps if (step / one).denominator == 1]
    if contradictions:  # each multiple of the step is one of what must not be
        is_certain = any(
            one in wanted.steps or survives_floats(wanted, step, one) for one in contradictions
        )
        return NONE if is_certain else UNKNOWN
    exact_only: int | float | None = None
    for count in islice(_counts(wanted, step), MOST_TRIES):
        if wanted.admits(count * step):
            number = plain(count * step)
            if wanted.is_seen_alike(number):
                return found(number)
            exact_only = number if exact_only is None else exact_only
    if exact_only is not None:
        return found(exact_only)
    lowest, highest = _ends(wanted, step)
    if lowest is None or highest is None or highest - lowest >= MOST_TRIES - 2:
        return UNKNOWN
    # Beyond what floats can tell apart a validator may see a multiple where there is none.
    return NONE if step == 1 or wanted.is_exact else UNKNOWN


def _ends(wanted: Range, step: Fraction) -> tuple[int | None, int | None]:
    lowest = None if wanted.low is None else math.ceil(wanted.low / step)
    highest = None if wanted.high is None else math.floor(wanted.high / step)
    return lowest, highest


def _counts(wanted: Range, step: Fraction) -> Iterator[int]:
    """Yield how many steps to go, from the bound inwards, or around zero without bounds."""
    lowest, highest = _ends(wanted, step)
    if lowest is not None:
        last = highest if highest is not None else lowest + MOST_TRIES
        yield from range(lowest, last + 1)
    elif highest is not None:
        yield from range(highest, highest - MOST_TRIES, -1)
    else:
        for count in range(1, MOST_TRIES):
            yield count
            yield 1 - count


def _between(wanted: Range) -> Iterator[Fraction]:
    """Yield numbers between the bounds: whole ones first, then finer and finer decimals."""
    finer = (10 * one.denominator for one in wanted.not_steps)
    for scale in (1, 2, 10, 100, 1000, 10_000, 10_000_000, *finer):
        yield from islice(_scaled(wanted, scale), 200)
    low, high = wanted.low, wanted.high
    if low is not None and high is not None:
        for parts in range(2, 500):
            yield low + (high - low) / parts
    elif low is not None:
        yield from (low + Fraction(1, parts) for parts in range(2, 100))
    elif high is not None:
        yield from (high - Fraction(1, parts) for parts in range(2, 100))


def _scaled(wanted: Range, scale: int) -> Iterator[Fraction]:
    return (Fraction(count, scale) for count in _counts(wanted, Fraction(1, scale)))
