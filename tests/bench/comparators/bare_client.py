"""The smallest aiohttp client that sends so many requests: what the client itself can do.

`python -m tests.bench.comparators.bare_client URL COUNT CONNECTIONS`
"""

from __future__ import annotations

import asyncio
import sys

import aiohttp
import uvloop

BODY = b'{"order_id": "A-100123", "amount": 119.8, "note": "%b"}' % (b"x" * 500)
HEADERS = {
    "content-type": "application/json",
    "ce-specversion": "1.0",
    "ce-id": "01a2046a-ac0e-7aa6-a44d-bdc00e7d5b63",
    "ce-source": "/bench/shop",
    "ce-type": "com.acme.bench.order.created",
    "webhook-id": "msg_01a2046a-ac0e-7aa6-a44d-bdc00e7d5b63",
    "webhook-timestamp": "1790000000",
    "webhook-signature": "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
}


async def _send(url: str, count: int, connections: int) -> None:
    left = iter(range(count))
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:

        async def lane() -> None:
            for _ in left:
                async with session.post(url, data=BODY, headers=HEADERS) as answer:
                    await answer.read()

        await asyncio.gather(*(lane() for _ in range(connections)))


if __name__ == "__main__":
    uvloop.run(_send(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
