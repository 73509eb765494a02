"""Who visits the pages: signed in or not, and what they are answered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from django.test import Client
from django.urls import reverse

from catalog.models import User


def signed_in(person: User) -> Client:
    """Return a browser in which this person has signed in."""
    client = Client()
    client.force_login(person)
    return client


def must_sign_in(page: str) -> bool:
    """Tell whether a visitor whom nobody knows is sent to sign in."""
    answer = Client().get(page)
    return answer.status_code == 302 and answer["Location"].startswith(
        reverse("governance:sign-in")
    )


def statuses(client: Client, pages: Iterable[str]) -> dict[str, int]:
    """Return the status of each page for this visitor."""
    return {page: client.get(page).status_code for page in pages}


class Answer(Protocol):
    """What a page is answered with, whichever class the test client makes of it."""

    @property
    def content(self) -> bytes: ...


def text_of(answer: Answer) -> str:
    """Return what the page says."""
    return answer.content.decode()
