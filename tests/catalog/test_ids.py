"""Identifiers sort by time, and no two processes make the same ones."""

from __future__ import annotations

import os
from uuid import UUID

from catalog import ids


def test_identifiers_are_of_version_7_and_sort_by_their_making() -> None:
    made = [ids.uuid7() for _ in range(5_000)]
    assert made == sorted(set(made))
    assert {(one.version, one.variant) for one in made} == {(7, "specified in RFC 4122")}


def test_a_child_process_makes_others() -> None:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, ids.random_hex(32).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 100).decode() != ids.random_hex(32)
    os.close(reader)
    os.close(writer)


def test_random_digits_have_their_length() -> None:
    made = [ids.random_hex(16) for _ in range(2_000)]
    assert len(set(made)) == len(made)
    assert {len(one) for one in made} == {16}


def test_an_instant_bounds_its_identifiers() -> None:
    one = ids.uuid7()
    assert UUID(int=0) < ids.first_of(ids.instant_of(one)) <= one
