"""Which addresses and URLs an endpoint may not have."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delivery import addresses

# A test machine may be busy: a slow example is no fault.
unhurried = settings(deadline=None)

# address | a word of why not, None if it may be sent to
TABLE: list[tuple[str, str | None]] = [
    ("93.184.216.34", None),
    ("2606:2800:220:1:248:1893:25c8:1946", None),
    ("127.0.0.1", "loopback"),
    ("127.8.9.1", "loopback"),
    ("10.1.2.3", "private"),
    ("172.16.0.1", "private"),
    ("172.32.0.1", None),
    ("192.168.1.1", "private"),
    ("169.254.169.254", "metadata"),
    ("168.63.129.16", "metadata"),
    ("fd00:ec2::254", "metadata"),
    ("169.254.1.1", "link-local"),
    ("100.64.0.1", "CGNAT"),
    ("0.0.0.0", "unspecified"),
    ("224.0.0.1", "multicast"),
    ("255.255.255.255", "reserved"),
    ("192.0.2.1", "documentation"),
    ("198.18.0.1", "benchmarking"),
    ("::", "unspecified"),
    ("::1", "loopback"),
    ("fe80::1", "link-local"),
    ("fe80::1%eth0", "link-local"),
    ("fc00::1", "private"),
    ("fec0::1", "private"),
    ("ff02::1", "multicast"),
    ("2001:db8::1", "documentation"),
    ("100::1", "reserved"),
    ("4000::1", "reserved"),
    # IPv4 in other clothes
    ("::ffff:127.0.0.1", "loopback"),
    ("::ffff:93.184.216.34", None),
    ("::127.0.0.1", "loopback"),
    ("64:ff9b::169.254.169.254", "metadata"),
    ("64:ff9b::93.184.216.34", None),
    ("64:ff9b:1::1", "NAT64"),
    ("2002:7f00:1::", "loopback"),
    ("2002:5db8:d822::1", None),
    ("2001:0:7f00:1::", "loopback"),
    ("2001:0:5db8:d822:0:0:f5ff:fffe", "private"),  # Teredo hides the client's 10.0.0.1 inverted
    ("2606:2800::5efe:a00:1", "private"),
    ("localhost", "not an IP address"),
    ("", "not an IP address"),
]


@pytest.mark.parametrize(("ip", "word"), TABLE)
def test_only_public_addresses_may_be_sent_to(ip: str, word: str | None) -> None:
    reason = addresses.refuse_reason(ip)
    if word is None:
        assert reason is None
    else:
        assert reason is not None
        assert word in reason


def test_allowed_networks_open_what_is_inside_them_in_any_clothes() -> None:
    allowed = [ip_network("10.0.0.0/8"), ip_network("::1/128")]
    assert addresses.refuse_reason("10.1.2.3", allowed_networks=allowed) is None
    assert addresses.refuse_reason("::ffff:10.1.2.3", allowed_networks=allowed) is None
    assert addresses.refuse_reason("::1", allowed_networks=allowed) is None
    assert addresses.refuse_reason("192.168.0.1", allowed_networks=allowed) is not None
    assert addresses.refuse_reason("127.0.0.1", allowed_networks=allowed) is not None


def in_nat64(inner: IPv4Address) -> str:
    return f"64:ff9b::{inner}"


def in_mapped(inner: IPv4Address) -> str:
    return f"::ffff:{inner}"


def in_6to4(inner: IPv4Address) -> str:
    return f"2002:{int(inner) >> 16:x}:{int(inner) & 0xFFFF:x}::1"


@unhurried
@given(st.ip_addresses(v=4), st.sampled_from([in_nat64, in_mapped, in_6to4]))
def test_an_address_counts_the_same_inside_ipv6(inner: IPv4Address, dress: object) -> None:
    assert callable(dress)
    is_refused = addresses.refuse_reason(str(inner)) is not None
    assert (addresses.refuse_reason(dress(inner)) is not None) is is_refused


@unhurried
@given(st.ip_addresses())
def test_what_the_standard_library_calls_not_global_is_refused(address: object) -> None:
    if not getattr(address, "is_global", True):
        assert addresses.refuse_reason(str(address)) is not None


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/hooks/1?a=b",
        "http://example.com:8080",
        "https://münchen.example/x",
        "https://xn--mnchen-3ya.example/",
        "https://a_b.example./",
        "http://93.184.216.34/",
        "http://[2606:2800:220:1:248:1893:25c8:1946]:8443/x",
        "http://127.0.0.1:9000/x",
    ],
)
def test_a_plain_http_url_is_fit(url: str) -> None:
    assert addresses.check_url(url) is None


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("ftp://example.com", "https://"),
        ("example.com/x", "https://"),
        ("javascript:alert(1)", "https://"),
        ("https://user:secret@example.com/", "user name"),
        ("https://example.com@evil.example/", "user name"),
        ("https:///path", "no host"),
        ("https://example.com:0/", "port 0"),
        ("https://example.com:99999/", "cannot be read"),
        ("https://[::1/", "cannot be read"),
        ("https://exa mple.com/", "white space"),
        ("https://example.com\\@evil.example/", "backslash"),
        ("https://example.com/\r\nX: y", "white space"),
        ("http://2130706433/", "looks like an address"),
        ("http://0x7f000001/", "looks like an address"),
        ("http://127.1/", "looks like an address"),
        ("http://0177.0.0.1/", "looks like an address"),
        ("https://-bad-.example/", "not a valid name"),
        ("https://a..example/", "not a valid name"),
        ("https://" + "a" * 64 + ".example/", "not a valid name"),
        ("https://\u2488.example\u3002/", "not a valid name"),
        ("https://example.com/" + "x" * 2_048, "longer"),
    ],
)
def test_any_other_url_is_told_why_not(url: str, word: str) -> None:
    fault = addresses.check_url(url)
    assert fault is not None
    assert word in fault


def test_an_address_in_the_url_is_judged_when_the_networks_are_known() -> None:
    assert "loopback" in (addresses.check_url("http://127.0.0.1/", allowed_networks=()) or "")
    assert "metadata" in (
        addresses.check_url("http://[::ffff:169.254.169.254]/", allowed_networks=()) or ""
    )
    loopback = (ip_network("127.0.0.0/8"),)
    assert addresses.check_url("http://127.0.0.1/", allowed_networks=loopback) is None
