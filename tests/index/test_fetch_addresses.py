import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.addresses import is_public, parse_address, printable, same_site


@pytest.mark.parametrize(
    "address",
    (
        "0.0.0.0 0.1.2.3 10.1.2.3 100.64.0.1 127.0.0.1 127.255.0.1 169.254.169.254 172.16.0.1 172.31.255.255 "
        "192.0.0.8 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.19.1.1 198.51.100.7 203.0.113.9 224.0.0.1 "
        "239.1.1.1 240.0.0.1 255.255.255.255 168.63.129.16 :: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 "
        "::ffff:0:127.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b::10.0.0.1 64:ff9b:1::1 100::1 2001::1 2001:db8::1 "
        "2002:7f00:1:: 2002:a9fe:a9fe:: 2001:0:4136:e378:8000:63bf:3fff:fdd2 3fff::1 5f00::1 fc00::1 fd00:ec2::254 "
        "fe80::1 fe80::1%eth0 2606:4700::1%eth0 fec0::1 ff02::1 4000::1 localhost 127.1 0x7f.0.0.1 nothing "
    ).split(),
)
def test_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    (
        "1.1.1.1 8.8.8.8 9.255.255.255 93.184.216.34 172.15.0.1 172.32.0.1 2606:4700::1111 2a00:1450:4001::1 "
        "::ffff:8.8.8.8 "
        "64:ff9b::808:808"
    ).split(),
)
def test_public(address):
    assert is_public(address)


@given(st.ip_addresses())
def test_nothing_that_python_calls_private_is_public(address):
    mapped = getattr(address, "ipv4_mapped", None) or address
    if mapped.is_loopback or mapped.is_link_local or mapped.is_multicast or mapped.is_unspecified or mapped.is_private:
        assert not is_public(str(address))


def test_relative_addresses_and_fragments():
    assert str(parse_address("../b?c#d", base="https://example.org/x/a")) == "https://example.org/b?c"
    assert str(parse_address("//other.example/a", base="https://example.org/")) == "https://other.example/a"
    assert str(parse_address(" https://example.org/berita/été ")) == "https://example.org/berita/%C3%A9t%C3%A9"


def test_printable_is_one_short_line_without_a_password():
    assert printable("http://a:b@c@host/x\n@y") == "http://host/x\N{REPLACEMENT CHARACTER}@y"
    assert len(printable("http://example.org/" + "a" * 999)) == 200


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://www.example.org/a", "http://example.org/b", True),
        ("https://amp.example.org/a", "https://www.example.org/a", True),
        ("https://news.example.org/a", "https://example.org/a", True),
        ("https://example.org/", "https://example.com/", False),
        ("https://badexample.org/", "https://example.org/", False),
        ("https://example.org.evil.example/", "https://example.org/", False),
        ("nothing", "nothing", False),
    ],
)
def test_same_site(one, other, same):
    assert same_site(one, other) is same
