"""Who asks the machine API in tests: an application with its key, a person with a session."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.test import Client

from catalog.models import Application, User
from catalog.words import Environment
from tests import factories

PROBLEM = "application/problem+json"
JSON = "application/json"


@dataclass(frozen=True, kw_only=True)
class Asker:
    """Someone who asks under /api/v1/, with the headers that say who it is."""

    client: Client
    headers: dict[str, str]

    def get(self, path: str, **query: str) -> Any:
        return self.client.get(f"/api/v1/{path}", query, headers=self.headers)

    def post(self, path: str, body: object = None) -> Any:
        sent = json.dumps({} if body is None else body)
        return self.client.post(f"/api/v1/{path}", sent, JSON, headers=self.headers)

    def patch(self, path: str, body: object) -> Any:
        return self.client.patch(f"/api/v1/{path}", json.dumps(body), JSON, headers=self.headers)

    def delete(self, path: str) -> Any:
        return self.client.delete(f"/api/v1/{path}", headers=self.headers)

    def follow(self, url: str) -> Any:
        """Open an address that an answer gave."""
        return self.client.get(url, headers=self.headers)


@dataclass(frozen=True, kw_only=True)
class Machine(Asker):
    """An application that asks with its key."""

    application: Application


def make_machine(
    application: Application | None = None, *, environment: str = Environment.PRODUCTION
) -> Machine:
    key, plain = factories.make_key(application, environment=environment)
    return Machine(
        client=Client(),
        headers={"Authorization": f"Bearer {plain}"},
        application=key.application,
    )


def person(user: User) -> Asker:
    client = Client()
    client.force_login(user)
    return Asker(client=client, headers={})


def pointers(response: Any) -> set[str]:
    """Return where a refused request is at fault."""
    assert response["Content-Type"] == PROBLEM, response.content
    return {error["pointer"] for error in response.json()["errors"]}
