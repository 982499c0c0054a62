"""The only door to the outside: where it does not go, however it is asked."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nrm.config import AllowedHost, BadSetting, read_config
from nrm.delivery.addresses import is_open
from nrm.delivery.outbound import LARGEST_ANSWER, Outbound, Rules, check_url
from nrm.errors import DeliveryFailed
from tests.receiver import Got, Receiver, Reply, make_certificate

LOOPBACK = ipaddress.ip_network("127.0.0.0/8")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    make_certificate(folder)
    return folder


@pytest.fixture
def receiver(certificates: Path) -> Iterator[Receiver]:
    made = Receiver(certificates)
    yield made
    made.close()


def door(receiver: Receiver, **more) -> Outbound:
    """A door with the operator's setting that lets it reach the receiver, and nothing else inside."""
    allowed = AllowedHost(host="localhost", port=receiver.port, network=LOOPBACK)
    rules = Rules(allowed=(allowed,), ca_file=str(receiver.ca_file))
    return Outbound(rules, resolve=more.pop("resolve", lambda host, port: ["127.0.0.1"]), **more)


def refusal(url: str) -> str:
    with pytest.raises(DeliveryFailed) as error:
        check_url(url, Rules())
    return error.value.code


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254", "169.254.169.254",
        "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.170", "192.0.2.1", "192.31.196.1", "192.52.193.1",
        "192.88.99.1", "192.168.0.1", "192.175.48.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1",
        "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:7f00:1", "64:ff9b::7f00:1",
        "64:ff9b::808:808", "64:ff9b:1::1", "100::1", "100:0:0:1::1", "2001::1", "2001:0:7f00:1::", "2001:10::1",
        "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::1", "2620:4f:8000::1", "3fff::1", "5f00::1",
        "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "4000::1", "8000::1",
    ],
)  # fmt: skip
def test_special_addresses_are_no_places_of_the_internet(address: str):
    assert not is_open(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
     "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "223.255.255.255", "2600::1", "2a00:1450::1"],
)  # fmt: skip
def test_their_neighbours_are(address: str):
    assert is_open(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://hooks.example.org/", "not_https"),
        ("ftp://hooks.example.org/", "not_https"),
        ("file:///etc/passwd", "not_https"),
        ("//hooks.example.org/", "not_https"),
        ("hooks.example.org", "not_https"),
        ("https://user:pass@hooks.example.org/", "credentials_in_url"),
        ("https://hooks.example.org@127.0.0.1/", "credentials_in_url"),
        ("https://@hooks.example.org/", "credentials_in_url"),
        ("https://hooks.example.org:22/", "port_refused"),
        ("https://hooks.example.org:8443/", "port_refused"),
        ("https://hooks.example.org:0/", "bad_url"),
        ("https://hooks.example.org:/", "bad_url"),
        ("https://hooks.example.org:443443/", "bad_url"),
        ("https://hooks.example.org:x/", "bad_url"),
        ("https://127.0.0.1/", "address_refused"),
        ("https://169.254.169.254/latest/meta-data/", "address_refused"),
        ("https://[::1]/", "address_refused"),
        ("https://[::ffff:127.0.0.1]/", "address_refused"),
        ("https://[::ffff:8.8.8.8]/", "address_refused"),
        ("https://[64:ff9b::7f00:1]/", "address_refused"),
        ("https://[fe80::1%25eth0]/", "address_refused"),
        ("https://[::1/", "bad_url"),
        ("https://[localhost]/", "bad_url"),
        ("https://2130706433/", "bad_url"),
        ("https://0x7f000001/", "bad_url"),
        ("https://0x7f.0.0.1/", "bad_url"),
        ("https://0177.0.0.1/", "bad_url"),
        ("https://127.1/", "bad_url"),
        ("https://127.0.0.1./", "bad_url"),
        ("https://127.0.0.0x1/", "bad_url"),
        ("https://１２７.0.0.1/", "bad_url"),
        ("https://hooks.example.org\\@127.0.0.1/", "bad_url"),
        ("https://hooks.example.org /", "bad_url"),
        ("https://hooks.example.org/\r\nHost: inner", "bad_url"),
        ("https://hooks.example.org/#part", "bad_url"),
        ("https://hooks_example.org/", "bad_url"),
        ("https://-hooks.example.org/", "bad_url"),
        ("https://hooks..example.org/", "bad_url"),
        ("https:///path", "bad_url"),
        ("https://" + "a" * 600 + ".org/", "bad_url"),
        ("", "not_https"),
    ],
)  # fmt: skip
def test_addresses_that_are_refused_when_somebody_types_them(url: str, code: str):
    assert refusal(url) == code


def test_addresses_that_are_taken():
    place = check_url("https://Hooks.Example.org/in?token=1", Rules())
    assert (place.host, place.port, place.target, place.header) == (
        "hooks.example.org", 443, "/in?token=1", "hooks.example.org",
    )  # fmt: skip
    assert check_url("https://8.8.8.8/", Rules()).host == "8.8.8.8"
    assert (
        check_url("https://hooks.example.org:8443", Rules(ports=frozenset({8443}))).header == "hooks.example.org:8443"
    )


@pytest.mark.parametrize(
    "answers",
    [
        ["10.0.0.1"],
        ["8.8.8.8", "127.0.0.1"],
        ["127.0.0.1", "8.8.8.8"],
        ["8.8.8.8", "::1"],
        ["::ffff:169.254.169.254"],
        ["fe80::1%eth0"],
        ["nonsense"],
        [],
    ],
)
def test_a_name_with_one_address_inside_is_refused_before_anything_is_opened(answers: list[str]):
    outbound = Outbound(Rules(), resolve=lambda host, port: answers)
    with pytest.raises(DeliveryFailed) as error:
        outbound.post("https://hooks.example.org/", b"{}", {})
    assert error.value.code == "address_refused"


def test_a_name_that_is_resolved_differently_a_moment_later_is_asked_once_only(receiver: Receiver):
    """Whoever looks twice is told something else the second time: the connection goes where the first look led."""
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    outbound = door(receiver, resolve=rebinding)
    assert outbound.post(receiver.url, b"{}", {}).status == 200
    assert asked == ["localhost"]
    outbound.close()


def test_an_open_connection_to_an_address_that_the_name_lost_is_not_used_again(receiver: Receiver):
    answers = [["127.0.0.1"], ["10.9.9.9"]]
    outbound = door(receiver, resolve=lambda host, port: answers.pop(0))
    assert outbound.post(receiver.url, b"{}", {}).status == 200
    with pytest.raises(DeliveryFailed) as error:
        outbound.post(receiver.url, b"{}", {})
    assert error.value.code == "address_refused"
    assert len(receiver.got) == 1
    outbound.close()


def test_the_setting_of_an_operator_opens_one_host_one_port_and_one_network(receiver: Receiver):
    outbound = door(receiver)
    assert outbound.post(receiver.url, b"{}", {}).status == 200
    outbound.close()
    for url in (f"https://127.0.0.1:{receiver.port}/", "https://localhost/", f"https://localhost.:{receiver.port}/"):
        with pytest.raises(DeliveryFailed) as error:
            outbound.post(url, b"{}", {})
        assert error.value.code in {"port_refused", "bad_url", "address_refused"}
    for elsewhere in (["10.0.0.1"], ["127.0.0.1", "10.0.0.1"], ["8.8.8.8"], ["::1"]):
        with pytest.raises(DeliveryFailed) as error:
            door(receiver, resolve=lambda host, port, answers=elsewhere: answers).post(receiver.url, b"{}", {})
        assert error.value.code == "address_refused"


def test_the_certificate_must_be_of_the_name(receiver: Receiver, certificates: Path):
    strangers = Outbound(
        Rules(allowed=(AllowedHost(host="localhost", port=receiver.port, network=LOOPBACK),)),
        resolve=lambda host, port: ["127.0.0.1"],
    )
    with pytest.raises(DeliveryFailed) as error:
        strangers.post(receiver.url, b"{}", {})
    assert error.value.code == "tls_failed"
    other = AllowedHost(host="other.example", port=receiver.port, network=LOOPBACK)
    wrong_name = Outbound(
        Rules(allowed=(other,), ca_file=str(receiver.ca_file)), resolve=lambda host, port: ["127.0.0.1"]
    )
    with pytest.raises(DeliveryFailed) as error:
        wrong_name.post(f"https://other.example:{receiver.port}/", b"{}", {})
    assert error.value.code == "tls_failed"
    assert receiver.got == []


def test_a_redirect_is_an_answer_and_is_not_followed(receiver: Receiver):
    receiver.behave = lambda got: Reply(status=307, headers={"Location": "https://localhost:1/"})
    outbound = door(receiver)
    assert outbound.post(receiver.url, b"{}", {}).status == 307
    assert len(receiver.got) == 1
    outbound.close()


def test_proxies_of_the_environment_are_not_asked(receiver: Receiver, monkeypatch: pytest.MonkeyPatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    outbound = door(receiver)
    assert outbound.post(receiver.url, b"{}", {}).status == 200
    outbound.close()


def test_a_long_answer_is_read_to_its_limit_only(receiver: Receiver):
    receiver.behave = lambda got: Reply(body=b"x" * 1_000_000)
    outbound = door(receiver)
    assert len(outbound.post(receiver.url, b"{}", {}).body) == LARGEST_ANSWER
    receiver.behave = lambda got: Reply()
    assert outbound.post(receiver.url, b"{}", {}).body == b"ok"
    outbound.close()


def test_one_connection_carries_several_requests(receiver: Receiver):
    outbound = door(receiver)
    ports = set()

    def note(got: Got) -> Reply:
        ports.add(got.headers["host"])
        return Reply(headers={"Retry-After": "7"})

    receiver.behave = note
    answers = [outbound.post(receiver.url, b"{}", {"webhook-id": "1"}) for _ in range(3)]
    assert {answer.retry_after for answer in answers} == {7}
    assert ports == {f"localhost:{receiver.port}"}
    outbound.close()


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(wait=3), "timeout"),
        (Reply(trickle=True, body=b"x" * 200), "timeout"),
        (Reply(cut=True), "answer_broken"),
    ],
    ids=["silent", "a byte now and then", "cut"],
)
def test_whoever_does_not_answer_in_time_is_given_up(receiver: Receiver, reply: Reply, code: str):
    receiver.behave = lambda got: reply
    outbound = door(receiver, total_seconds=0.6)
    started = time.monotonic()
    with pytest.raises(DeliveryFailed) as error:
        outbound.post(receiver.url, b"{}", {})
    assert error.value.code == code
    assert time.monotonic() - started < 2
    outbound.close()


def test_a_server_that_never_shakes_hands_is_given_up(certificates: Path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        allowed = AllowedHost(host="localhost", port=port, network=LOOPBACK)
        outbound = Outbound(Rules(allowed=(allowed,)), resolve=lambda *_: ["127.0.0.1"], total_seconds=0.5)
        started = time.monotonic()
        with pytest.raises(DeliveryFailed) as error:
            outbound.post(f"https://localhost:{port}/", b"{}", {})
        assert error.value.code == "timeout"
        assert time.monotonic() - started < 2


def test_a_port_where_nobody_listens_and_a_name_that_nobody_has(certificates: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    allowed = AllowedHost(host="localhost", port=port, network=LOOPBACK)
    with pytest.raises(DeliveryFailed) as error:
        Outbound(Rules(allowed=(allowed,)), resolve=lambda *_: ["127.0.0.1"]).post(
            f"https://localhost:{port}/", b"{}", {}
        )
    assert error.value.code == "not_reachable"

    def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(DeliveryFailed) as error:
        Outbound(Rules(), resolve=unknown).post("https://hooks.example.org/", b"{}", {})
    assert error.value.code == "name_unknown"


def test_a_name_server_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("nrm.delivery.outbound.RESOLVE_SECONDS", 0.2)
    release = threading.Event()
    started = time.monotonic()
    with pytest.raises(DeliveryFailed) as error:
        Outbound(Rules(), resolve=lambda *_: release.wait(10) and []).post("https://hooks.example.org/", b"{}", {})
    release.set()
    assert error.value.code == "timeout"
    assert time.monotonic() - started < 2


def test_settings_that_cannot_be_used_stop_the_start():
    env = {"NRM_SECRET": "x" * 32, "NRM_COUNTRY": "testland"}
    read = read_config({**env, "NRM_OUTBOUND_ALLOWED": "Hooks.example:8443=10.1.0.0/16, [::1]:443=::1/128"})
    assert [(entry.host, entry.port, str(entry.network)) for entry in read.outbound_allowed] == [
        ("hooks.example", 8443, "10.1.0.0/16"),
        ("::1", 443, "::1/128"),
    ]
    assert read_config({**env, "NRM_OUTBOUND_PORTS": "443,8443"}).outbound_ports == {443, 8443}
    for name, text in (
        ("NRM_OUTBOUND_ALLOWED", "hooks.example"),
        ("NRM_OUTBOUND_ALLOWED", "hooks.example:443=10.0.0.1/8"),
        ("NRM_OUTBOUND_PORTS", "https"),
        ("NRM_OUTBOUND_PORTS", "70000"),
        ("NRM_OUTBOUND_CA_FILE", "/nowhere/at/all.pem"),
    ):
        with pytest.raises(BadSetting, match=name):
            read_config({**env, name: text})


def test_a_connection_that_the_receiver_broke_after_its_answer_is_replaced_by_a_new_one(receiver: Receiver):
    outbound = door(receiver)
    receiver.behave = lambda got: Reply(reset=True)
    assert outbound.post(receiver.url, b"{}", {}).status == 200
    time.sleep(0.5)
    assert outbound.post(receiver.url, b"{}", {}).status == 200
    assert len(receiver.got) == 2
    outbound.close()
