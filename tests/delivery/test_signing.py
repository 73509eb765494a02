"""Signatures as Standard Webhooks defines them."""

from __future__ import annotations

from base64 import b64encode

import pytest

from delivery import signing

# The vector that the specification's own libraries are tested with.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE, TIMESTAMP, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

# RFC 8032, section 7.1, test 1: the seed and its public key.
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")


def check(
    keys: list[str],
    signature: str,
    *,
    message: str = MESSAGE,
    timestamp: str = str(TIMESTAMP),
    body: bytes = BODY,
    now: float = TIMESTAMP,
) -> None:
    signing.verify(
        keys, message_id=message, timestamp=timestamp, signature=signature, body=body, now=now
    )


def test_signs_as_the_reference_does() -> None:
    assert signing.sign([SECRET], MESSAGE, TIMESTAMP, BODY) == SIGNATURE


def test_a_new_secret_has_the_prefix_and_verifies_what_it_signs() -> None:
    secret = signing.new_secret()
    assert secret.startswith("whsec_")
    assert secret != signing.new_secret()
    check([secret], signing.sign([secret], MESSAGE, TIMESTAMP, BODY))


@pytest.mark.parametrize("length", [23, 65])
def test_secrets_have_24_to_64_bytes(length: int) -> None:
    with pytest.raises(signing.BadSecret):
        signing.new_secret(length)
    with pytest.raises(signing.BadSecret):
        signing.sign(["whsec_" + b64encode(b"x" * length).decode()], "m", 1, b"")


def test_during_rotation_either_secret_verifies() -> None:
    old = signing.new_secret()
    header = signing.sign([SECRET, old], MESSAGE, TIMESTAMP, BODY)
    assert header.split(" ")[0] == SIGNATURE
    check([SECRET], header)
    check([old], header)


def test_an_asymmetric_key_signs_v1a_and_the_public_half_verifies() -> None:
    private, public = signing.new_key_pair()
    header = signing.sign([SECRET, private], MESSAGE, TIMESTAMP, BODY)
    assert [part.partition(",")[0] for part in header.split(" ")] == ["v1", "v1a"]
    check([public], header)
    check([private], header)
    with pytest.raises(signing.BadSignature):
        check([signing.new_key_pair()[1]], header)


def test_ed25519_keys_are_read_with_and_without_their_public_half() -> None:
    public = "whpk_" + b64encode(PUBLIC).decode()
    for key in (SEED, SEED + PUBLIC):
        assert signing.public_key("whsk_" + b64encode(key).decode()) == public


@pytest.mark.parametrize(
    "change",
    [
        {"body": BODY + b" "},
        {"message": "msg_other"},
        {"timestamp": str(TIMESTAMP + 1)},
        {"timestamp": "soon"},
        {"timestamp": "-5"},
        {"timestamp": "9" * 400},
        {"now": TIMESTAMP + 301},
        {"now": TIMESTAMP - 301},
    ],
)
def test_anything_changed_or_late_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(signing.BadSignature):
        check([SECRET], SIGNATURE, **change)  # type: ignore[arg-type]  # the table varies the field


@pytest.mark.parametrize("signature", ["", "v1", "v1,", "v2," + SIGNATURE[3:], "v1a,AAAA", "v1a,§"])
def test_a_header_without_a_good_signature_is_refused(signature: str) -> None:
    with pytest.raises(signing.BadSignature):
        check([SECRET, signing.new_key_pair()[1]], signature)


@pytest.mark.parametrize("secret", ["", "hello", "whsec_%%", "whsk_AAAA"])
def test_what_is_no_secret_is_refused(secret: str) -> None:
    with pytest.raises(signing.BadSecret):
        signing.sign([secret], "m", 1, b"")


def test_a_message_id_with_a_full_stop_is_refused() -> None:
    with pytest.raises(ValueError, match="full stop"):
        signing.sign([SECRET], "msg_1.2", 1, b"")
