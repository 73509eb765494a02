"""Inbound adapters: who may make one, what it takes, and what it refuses."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from catalog.models import User
from catalog.moves import IllegalMove
from catalog.words import Environment
from delivery import adapters
from delivery.models import Adapter
from delivery.states import SecretKind
from governance.models import LedgerEntry
from tests import factories
from tests.delivery.publishers import Shop, make_shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return make_shop()


@pytest.fixture
def owner(shop: Shop) -> User:
    return factories.make_person(team=shop.application.team)


def make(shop: Shop, by: User, **wishes: object) -> tuple[Adapter, str]:
    return adapters.create(
        shop.application,
        event_type=shop.event_type,
        environment=Environment.PRODUCTION,
        by=by,
        now=timezone.now(),
        **{"name": "Shop orders", **wishes},  # type: ignore[arg-type]  # wishes by name
    )


def test_owner_makes_an_address_and_sees_its_secret_once(shop: Shop, owner: User) -> None:
    adapter, plain = make(shop, owner)
    assert adapter.slug == "shop-orders"
    assert adapter.secret_name == "X-Signalbox-Secret"
    assert plain not in adapter.sealed
    assert adapters.secrets_of(adapter, now=timezone.now()) == [plain]
    entry = LedgerEntry.objects.get(action="adapter:create")
    assert entry.subject_id == str(adapter.pk)
    assert plain not in str(entry.after)


def test_second_address_of_a_name_gets_another_slug(shop: Shop, owner: User) -> None:
    make(shop, owner)
    assert make(shop, owner)[0].slug == "shop-orders-2"


def test_stranger_makes_none(shop: Shop) -> None:
    with pytest.raises(PermissionDenied):
        make(shop, factories.make_person())
    assert not Adapter.objects.exists()


def test_address_of_an_event_that_one_may_not_know_is_refused(owner: User, shop: Shop) -> None:
    hidden = factories.make_event_type(topic=factories.make_topic(is_restricted=True))
    with pytest.raises(PermissionDenied):
        adapters.create(
            shop.application,
            event_type=hidden,
            environment=Environment.PRODUCTION,
            by=owner,
            now=timezone.now(),
            name="Hidden",
        )


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"name": "  "}, "name"),
        ({"id_path": "order."}, "id_path"),
        ({"data_path": "nothing_like_it(@)"}, "data_path"),
        ({"secret_name": "two words"}, "secret_name"),
        ({"secret_kind": "handshake"}, "secret_kind"),
        ({"window_seconds": 0}, "window_seconds"),
    ],
)
def test_fault_stands_at_its_field(
    shop: Shop, owner: User, wish: dict[str, object], field: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        make(shop, owner, **wish)
    assert list(caught.value.message_dict) == [field]


def test_change_is_recorded_with_digests_of_its_expressions(shop: Shop, owner: User) -> None:
    adapter, _secret = make(shop, owner)
    adapters.change(adapter, by=owner, now=timezone.now(), data_path="order")
    entry = LedgerEntry.objects.get(action="adapter:change")
    assert entry.after["data_path"] != "order"
    assert len(entry.after["data_path"]) == 64
    assert adapter.history.count() == 2


def test_change_to_nothing_new_leaves_no_trace(shop: Shop, owner: User) -> None:
    adapter, _secret = make(shop, owner)
    adapters.change(adapter, by=owner, now=timezone.now(), name="Shop orders")
    assert not LedgerEntry.objects.filter(action="adapter:change").exists()


def test_old_secret_holds_for_a_day_after_a_rotation(shop: Shop, owner: User) -> None:
    adapter, old = make(shop, owner, secret_kind=SecretKind.HMAC)
    now = timezone.now()
    adapter, new = adapters.rotate(adapter, by=owner, now=now)
    assert adapters.secrets_of(adapter, now=now) == [new, old]
    assert adapters.secrets_of(adapter, now=now + timedelta(hours=25)) == [new]


def test_address_that_was_switched_off_changes_no_more(shop: Shop, owner: User) -> None:
    adapter, _secret = make(shop, owner)
    adapters.deactivate(adapter, by=owner, now=timezone.now())
    with pytest.raises(IllegalMove):
        adapters.change(adapter, by=owner, now=timezone.now(), name="Else")
    with pytest.raises(IllegalMove):
        adapters.rotate(adapter, by=owner, now=timezone.now())
    with pytest.raises(IllegalMove):
        adapters.deactivate(adapter, by=owner, now=timezone.now())


@pytest.mark.parametrize("verb", [adapters.change, adapters.rotate, adapters.deactivate])
def test_stranger_changes_nothing(shop: Shop, owner: User, verb: object) -> None:
    adapter, _secret = make(shop, owner)
    assert callable(verb)
    with pytest.raises(PermissionDenied):
        verb(adapter, by=factories.make_person(), now=timezone.now())
