"""What a process knows of governance: how soon it is new, and that it says so when it is old."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.conf import settings
from django.utils import timezone

from catalog.words import Environment
from delivery import knowledge
from governance import grants
from governance.states import Verb
from tests import factories
from tests.delivery.publishers import make_shop

SOON_SECONDS = 1.0  # design, section 5b


@pytest.fixture(autouse=True)
def _watching_ends() -> Iterator[None]:
    knowledge.stop()
    yield
    knowledge.stop()


def until(is_so: Callable[[], bool], *, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if is_so():
            return True
        time.sleep(0.01)
    return is_so()


@pytest.mark.django_db
def test_without_a_watcher_every_question_is_fresh() -> None:
    before = knowledge.current()
    _key, plain = factories.make_key()
    after = knowledge.current()
    assert len(after.keys) == len(before.keys) + 1
    assert plain not in after.keys


@pytest.mark.django_db
def test_nothing_is_read_again_while_nothing_changed() -> None:
    assert knowledge.current() is knowledge.current()


@pytest.mark.django_db
def test_a_question_costs_one_query_while_nothing_changed(
    django_assert_num_queries: Callable[[int], object],
) -> None:
    knowledge.current()
    with django_assert_num_queries(1):  # type: ignore[attr-defined]  # a context manager
        knowledge.current()


@pytest.mark.django_db
def test_reading_everything_takes_as_many_queries_for_many_rows_as_for_few(
    django_assert_max_num_queries: Callable[[int], object],
) -> None:
    for _ in range(5):
        shop = make_shop()
        for _ in range(3):
            factories.make_subscription(topic=shop.topic)
    with django_assert_max_num_queries(16):  # type: ignore[attr-defined]  # a context manager
        knowledge.refresh()


@pytest.mark.django_db(transaction=True)
def test_a_watcher_learns_of_a_revoke_within_a_second() -> None:
    shop = make_shop()
    knowledge.start()

    def may_publish() -> bool:
        return knowledge.current().entitlements.allows(
            shop.application.pk,
            Verb.PUBLISH,
            shop.topic.pk,
            Environment.PRODUCTION,
            timezone.now(),
        )

    assert may_publish()
    grants.revoke(shop.grant, by=factories.make_admin(), reason="It ends here.", now=timezone.now())
    assert until(lambda: not may_publish(), seconds=SOON_SECONDS)


@pytest.mark.django_db(transaction=True)
def test_a_watcher_that_cannot_read_makes_the_answer_stale(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    knowledge.start()
    knowledge.current()

    def fail(_version: object, _at: float) -> None:
        raise OSError("no database")

    monkeypatch.setattr(knowledge, "_learn", fail)

    def is_stale() -> bool:
        try:
            knowledge.current()
        except knowledge.Stale:
            return True
        return False

    assert until(is_stale, seconds=3)
    monkeypatch.undo()
    assert until(lambda: not is_stale(), seconds=3)


@pytest.mark.django_db(transaction=True)
def test_a_process_that_never_read_anything_says_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(knowledge, "_latest", None)

    def fail(_version: object, _at: float) -> None:
        raise OSError("no database")

    monkeypatch.setattr(knowledge, "_learn", fail)
    knowledge.start(patience_seconds=0.1)
    with pytest.raises(knowledge.Stale):
        knowledge.current()


@contextlib.contextmanager
def silent_server() -> Iterator[int]:
    """Take connections on a port of the loopback, and never say a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        yield listener.getsockname()[1]


@pytest.mark.django_db(transaction=True)
def test_a_watcher_does_not_wait_for_ever_for_a_network_that_went_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reach = knowledge.own_connection
    with silent_server() as port:
        gone = {**reach(), "host": "127.0.0.1", "port": port}
        monkeypatch.setattr(knowledge, "own_connection", lambda: gone)
        monkeypatch.setattr(knowledge, "_latest", None)
        knowledge.start(patience_seconds=0.1)
        with pytest.raises(knowledge.Stale):
            knowledge.current()
        monkeypatch.setattr(knowledge, "own_connection", reach)
        # The silent one still listens: only the watcher's own patience lets it try elsewhere.
        assert knowledge._watcher is not None
        assert knowledge._watcher.has_read.wait(20)
        knowledge.current()


@pytest.mark.django_db
def test_every_connection_notices_a_network_that_went_away() -> None:
    options = settings.DATABASES["default"]["OPTIONS"]
    assert {"connect_timeout", "keepalives_idle", "tcp_user_timeout"} <= options.keys()
    with psycopg.connect(**knowledge.own_connection()) as own:
        assert own.info.get_parameters()["connect_timeout"] == str(options["connect_timeout"])
