"""How people choose what they are told: the page, the API, and that each chooses for themself."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from delivery import notifications
from delivery.models import NewsChoice
from delivery.news_kinds import MailTime, NewsKind
from tests import factories
from tests.asking import make_machine, person, pointers
from tests.visitors import must_sign_in, signed_in, text_of

pytestmark = pytest.mark.django_db
PAGE = reverse("delivery:notification-choices")


def filled(**changed: str) -> dict[str, str]:
    usual = {f"{kind}-shown": "on" for kind in NewsKind}
    return {**usual, **{f"{kind}-mail": "daily" for kind in NewsKind}, **changed}


def test_page_is_for_people_who_are_signed_in() -> None:
    assert must_sign_in(PAGE)


def test_page_is_found_from_the_profile() -> None:
    alice = signed_in(factories.make_person("alice"))
    assert PAGE in text_of(alice.get(reverse("governance:profile")))


def test_choice_is_kept_for_the_one_who_made_it() -> None:
    alice, bob = factories.make_person("alice"), factories.make_person("bob")
    answer = signed_in(alice).post(PAGE, filled(**{"failure-mail": "never"}), follow=True)
    assert "It holds for news from now on" in text_of(answer)
    assert notifications.choices(alice)[NewsKind.FAILURE].mail is MailTime.NEVER
    assert notifications.choices(bob)[NewsKind.FAILURE].mail is MailTime.AT_ONCE


def test_unknown_word_is_refused_and_nothing_is_kept() -> None:
    alice = factories.make_person("alice")
    answer = signed_in(alice).post(PAGE, filled(**{"failure-mail": "hourly"}))
    assert answer.status_code == 200
    assert "Not saved" in text_of(answer)
    assert not NewsChoice.objects.exists()


def test_page_says_where_the_mail_goes_or_that_it_goes_nowhere() -> None:
    alice = factories.make_person("alice")
    assert "E-mail goes to alice@example.com" in text_of(signed_in(alice).get(PAGE))
    type(alice).objects.filter(pk=alice.pk).update(email="")
    assert "has no e-mail address of yours" in text_of(signed_in(alice).get(PAGE))


def test_api_changes_only_what_it_names() -> None:
    alice = factories.make_person("alice")
    asker = person(alice)
    wish = {"choices": [{"kind": "circuit", "portal": False, "mail": "never"}]}
    answer = asker.patch("notifications/choices", wish)
    assert answer.status_code == 200
    told = {one["kind"]: one for one in answer.json()["choices"]}
    assert told["circuit"] == {"kind": "circuit", "portal": False, "mail": "never"}
    assert told["failure"]["mail"] == "at_once"
    assert asker.get("notifications/choices").json() == answer.json()


def test_api_points_at_a_kind_that_does_not_exist() -> None:
    asker = person(factories.make_person())
    wish = {"choices": [{"kind": "weather", "portal": True, "mail": "never"}]}
    assert pointers(asker.patch("notifications/choices", wish)) == {"/choices/0/kind"}


def test_a_key_has_nothing_to_choose() -> None:
    assert make_machine().get("notifications/choices").status_code == 403
    assert make_machine().patch("notifications/choices", {"choices": []}).status_code == 403


def test_each_reads_only_their_own_news() -> None:
    alice, bob = factories.make_person("alice"), factories.make_person("bob")
    notifications.notify(
        [alice], kind=NewsKind.REVIEW, key="x", text="Look at CR-1.", now=timezone.now()
    )
    (found,) = person(alice).get("notifications", unread="true").json()["results"]
    assert found["text"] == "Look at CR-1."
    assert person(bob).get("notifications").json()["results"] == []
    assert person(bob).post(f"notifications/{found['id']}/read").status_code == 404
    assert notifications.unread(alice) == 1
    assert person(alice).post(f"notifications/{found['id']}/read").json()["read_at"]
    assert person(alice).get("notifications", unread="true").json()["results"] == []
