"""News by e-mail, against a real mail server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.test import override_settings
from django.utils import timezone

from catalog.models import User
from delivery import mailing, notifications
from delivery.models import Notification
from delivery.news_kinds import MailTime, NewsKind
from delivery.notifications import Choice
from tests import factories
from tests.delivery.mail_server import MailServer, free_port, mail_server, settings_for

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


def tell(
    person: User,
    text: str = "Orders fail.",
    *,
    kind: NewsKind = NewsKind.FAILURE,
    now: datetime = NOON,
) -> None:
    notifications.notify([person], kind=kind, key=text, text=text, path="/failures/1/", now=now)


def chooses(person: User, mail: MailTime, *, is_shown: bool = True) -> None:
    notifications.choose(person, {NewsKind.FAILURE: Choice(is_shown=is_shown, mail=mail)})


def test_urgent_news_arrive_with_the_page_and_the_way_to_choose(server: MailServer) -> None:
    tell(factories.make_person("alice"))
    assert mailing.send_due(now=NOON) == 1
    (message,) = server.messages
    assert message["To"] == "alice@example.com"
    assert message["Subject"] == "Orders fail."
    assert message["Auto-Submitted"] == "auto-generated"
    body = message.get_content()
    assert "/failures/1/" in body
    assert "/notifications/choices/" in body


def test_nothing_is_sent_twice(server: MailServer) -> None:
    tell(factories.make_person())
    mailing.send_due(now=NOON)
    assert mailing.send_due(now=NOON + timedelta(days=1)) == 0
    assert len(server.messages) == 1


def test_much_at_once_is_one_message_and_the_next_waits(server: MailServer) -> None:
    alice = factories.make_person("alice")
    for number in range(60):
        tell(alice, f"Failure {number}.")
    mailing.send_due(now=NOON)
    assert server.messages[0]["Subject"] == "60 pieces of news from Signalbox"
    assert "10 more" in server.messages[0].get_content()
    tell(alice, "One more.", now=NOON)
    assert mailing.send_due(now=NOON + timedelta(minutes=1)) == 0
    assert mailing.send_due(now=NOON + timedelta(minutes=6)) == 1


def test_daily_news_come_together_at_eight_where_the_person_is(server: MailServer) -> None:
    alice = factories.make_person("alice")
    User.objects.filter(pk=alice.pk).update(time_zone="America/New_York")
    alice.refresh_from_db()
    chooses(alice, MailTime.DAILY)
    tell(alice, "First.")
    tell(alice, "Second.", now=NOON + timedelta(hours=2))
    eight = datetime(2026, 6, 1, 12, tzinfo=UTC) + timedelta(days=1)  # 8:00 in New York
    assert mailing.send_due(now=eight - timedelta(seconds=1)) == 0
    assert mailing.send_due(now=eight) == 1
    assert "First." in server.messages[0].get_content()
    assert "Second." in server.messages[0].get_content()


def test_what_was_read_in_the_portal_is_not_mailed(server: MailServer) -> None:
    alice = factories.make_person("alice")
    tell(alice)
    notifications.mark_read(alice, now=NOON)
    assert mailing.send_due(now=NOON) == 0
    assert server.messages == []


@pytest.mark.parametrize(
    ("mail", "is_shown", "mailed", "shown"),
    [
        (MailTime.AT_ONCE, True, 1, 1),
        (MailTime.AT_ONCE, False, 1, 0),
        (MailTime.NEVER, True, 0, 1),
        (MailTime.NEVER, False, 0, 0),
    ],
)
def test_each_is_told_as_they_chose(
    server: MailServer, mail: MailTime, *, is_shown: bool, mailed: int, shown: int
) -> None:
    alice = factories.make_person("alice")
    chooses(alice, mail, is_shown=is_shown)
    tell(alice)
    assert mailing.send_due(now=NOON) == mailed
    assert notifications.unread(alice) == shown


def test_who_has_no_address_or_has_left_gets_none(server: MailServer) -> None:
    alice, bob = factories.make_person("alice"), factories.make_person("bob")
    User.objects.filter(pk=alice.pk).update(email="")
    alice.refresh_from_db()
    tell(alice)
    tell(bob)
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert mailing.send_due(now=NOON) == 0
    assert not Notification.objects.filter(mail_due_at__isnull=False).exists()


def test_refused_message_is_tried_again_and_given_up_in_the_end(server: MailServer) -> None:
    alice, bob = factories.make_person("alice"), factories.make_person("bob")
    server.refused.add("alice@example.com")
    tell(alice)
    tell(bob)
    assert mailing.send_due(now=NOON) == 1  # the one does not hold up the other
    assert mailing.send_due(now=NOON + timedelta(seconds=30)) == 0
    server.refused.clear()
    assert mailing.send_due(now=NOON + timedelta(minutes=5)) == 1
    server.refused.add("alice@example.com")
    tell(alice, "Again.", now=NOON + timedelta(days=1))
    for day in range(1, 12):
        mailing.send_due(now=NOON + timedelta(days=day))
    given_up = Notification.objects.get(user=alice, text="Again.")
    assert (given_up.mail_due_at, given_up.mailed_at) == (None, None)
    assert given_up.mail_tries == len(mailing.WAITS) + 1


def test_server_that_is_away_uses_up_no_try() -> None:
    alice = factories.make_person("alice")
    tell(alice)
    with override_settings(**settings_for(free_port())):
        assert mailing.send_due(now=NOON) == 0
    assert Notification.objects.get().mail_tries == 0
    with mail_server() as server:
        assert mailing.send_due(now=NOON + timedelta(minutes=2)) == 1
    assert len(server.messages) == 1


def test_line_break_in_a_name_makes_no_header(server: MailServer) -> None:
    tell(factories.make_person(), "Orders\r\nBcc: eve@example.com fail.")
    mailing.send_due(now=NOON)
    assert server.messages[0]["Bcc"] is None


def test_worker_that_dies_while_sending_delays_the_message(server: MailServer) -> None:
    tell(factories.make_person())
    person = Notification.objects.get().user_id
    assert len(mailing._claim(person, NOON)) == 1  # and then it was killed
    assert mailing.send_due(now=NOON + timedelta(seconds=1)) == 0
    assert mailing.send_due(now=NOON + mailing.LEASE) == 1


def test_telling_many_asks_the_same_number_of_questions(
    django_assert_num_queries: object,
) -> None:
    people = [factories.make_person() for _ in range(5)]
    assert callable(django_assert_num_queries)
    with django_assert_num_queries(2):
        notifications.notify(
            people, kind=NewsKind.REVIEW, key="x", text="Look.", now=timezone.now()
        )
