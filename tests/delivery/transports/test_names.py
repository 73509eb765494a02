"""Looking names up."""

from __future__ import annotations

import asyncio
import socket

import pytest

from delivery.transports import names
from delivery.transports.names import AddrInfo, Names


class Book:
    """A resolver that counts, takes its time, and fails for names that start with `no`."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[AddrInfo]:
        self.asked.append(host)
        await asyncio.sleep(0.05)
        if host.startswith("no"):
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("192.0.2.1", port))]


def test_a_name_is_asked_for_once_by_all_who_want_it_and_kept_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def talk() -> None:
        book = Book()
        looked_up = Names(book)
        found = await asyncio.gather(*(looked_up.addresses("a.example", 80) for _ in range(9)))
        assert all(where[0][4] == ("192.0.2.1", 80) for where in found)
        await looked_up.addresses("a.example", 80)
        assert book.asked == ["a.example"]
        monkeypatch.setattr(names, "KEEP_SECONDS", 0)
        looked_up.forget()
        await looked_up.addresses("a.example", 80)
        await looked_up.addresses("a.example", 80)
        assert len(book.asked) == 3
        looked_up.close()

    asyncio.run(talk())


def test_one_who_gives_up_does_not_take_the_answer_from_the_others() -> None:
    async def talk() -> None:
        looked_up = Names(Book())
        first = asyncio.create_task(looked_up.addresses("a.example", 80))
        second = asyncio.create_task(looked_up.addresses("a.example", 80))
        await asyncio.sleep(0.01)
        first.cancel()
        assert len(await second) == 1
        looked_up.close()

    asyncio.run(talk())


def test_a_failure_is_not_kept() -> None:
    async def talk() -> None:
        book = Book()
        looked_up = Names(book)
        for _ in range(2):
            with pytest.raises(socket.gaierror):
                await looked_up.addresses("no.example", 80)
        assert len(book.asked) == 2
        looked_up.close()

    asyncio.run(talk())


@pytest.mark.parametrize(
    ("host", "family"), [("192.0.2.1", socket.AF_INET), ("2001:db8::1", socket.AF_INET6)]
)
def test_an_address_is_not_looked_up(host: str, family: socket.AddressFamily) -> None:
    async def talk() -> None:
        book = Book()
        ((found, *_, where),) = await Names(book).addresses(host, 80)
        assert (found, where[0]) == (family, host)
        assert book.asked == []

    asyncio.run(talk())


def test_the_system_knows_localhost() -> None:
    async def talk() -> None:
        looked_up = Names()
        found = await looked_up.addresses("localhost", 80)
        assert {where[4][0] for where in found} <= {"127.0.0.1", "::1"}
        looked_up.close()

    asyncio.run(talk())
