"""Pure rules: which addresses, when again, who wants what, and the signature against the standard's own vector."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.domain.addresses import networks_read, refusal
from notifications.domain.events import Event, Severity, wanted
from notifications.domain.retries import LONGEST, MOST_TRIES, pause_after
from notifications.domain.signing import SIGNATURE, sign, verified
from notifications.domain.targets import Kind, problem, shown

KEY = b"0123456789abcdef0123456789abcdef"
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
PRIVATE = networks_read("10.0.0.0/8, 127.0.0.0/8, ::1/128, fd00::/8")


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254", "169.254.0.1", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "0.0.0.1", "::", "224.0.0.1",
        "255.255.255.255", "100.100.100.200", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1",
    ],
)  # fmt: skip
def test_refusal__link_local_or_metadata__holds_whatever_is_permitted(address: str) -> None:
    everything = networks_read("0.0.0.0/0, ::/0")
    assert "link-local, metadata or reserved" in refusal(address, permitted=everything)


@pytest.mark.parametrize("address", ["10.1.2.3", "127.0.0.1", "::1", "::ffff:10.1.2.3", "fd12::1"])
def test_refusal__private_address__is_lifted_by_the_networks_of_the_setting(address: str) -> None:
    assert "SELFLEARN_NOTIFY_NETWORKS" in refusal(address, permitted=())
    assert not refusal(address, permitted=PRIVATE)


@pytest.mark.parametrize("address", ["192.168.1.1", "172.16.0.9", "100.64.0.1"])
def test_refusal__private_address_of_another_network__stays(address: str) -> None:
    assert refusal(address, permitted=PRIVATE)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_refusal__public_address__is_none(address: str) -> None:
    assert not refusal(address, permitted=())


@pytest.mark.parametrize(
    ("kind", "address", "words"),
    [
        (Kind.WEBHOOK, "ftp://example.org/x", "https://"),
        (Kind.WEBHOOK, "https://anna:secret@example.org/", "no name or password"),
        (Kind.WEBHOOK, "https://example.org:99999/", "no web address"),
        (Kind.SLACK, "https://", "https://"),
        (Kind.SLACK, "https://example.org/\r\nX: y", "no line breaks"),
        (Kind.EMAIL, "anna", "'anna' is no e-mail address"),
        (Kind.EMAIL, "a@b.org\nBcc: c@d.org", "no line breaks"),
        (Kind.EMAIL, ", ".join(f"p{n}@b.org" for n in range(21)), "1 to 20"),
        (Kind.EMAIL, "", "1 to 20"),
    ],
)
def test_problem__wrong_address__says_what_is_wrong(kind: Kind, address: str, words: str) -> None:
    assert words in problem(kind, address)


def test_shown__web_address__hides_what_may_be_a_key() -> None:
    assert shown(Kind.SLACK, "https://hooks.example.org/services/T0/B0/key?x=1") == "https://hooks.example.org/…"
    assert shown(Kind.EMAIL, "anna@example.org") == "anna@example.org"


def test_sign__vector_of_the_standard__has_its_signature() -> None:
    """The example of https://github.com/standard-webhooks/standard-webhooks (spec, "Signature scheme")."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, UTC)
    signed = sign(key=key, message_id="msg_p5jXN8AQM9LWM0D4loKWxJek", at=at, body=b'{"test": 2432232314}')
    assert signed[SIGNATURE] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("seconds", "body", "secret", "holds"),
    [
        (0, b"{}", KEY, True),
        (299, b"{}", KEY, True),
        (301, b"{}", KEY, False),
        (-301, b"{}", KEY, False),
        (0, b"{ }", KEY, False),
        (0, b"{}", KEY[::-1], False),
    ],
)
def test_verified__message__holds_with_its_key_unchanged_and_within_the_window(
    seconds: int, body: bytes, secret: bytes, holds: bool
) -> None:
    headers = sign(key=KEY, message_id="m1", at=AT, body=b"{}")
    text = "whsec_" + base64.b64encode(secret).decode()
    assert verified(secret=text, headers=headers, body=body, now=AT + timedelta(seconds=seconds)) is holds


def test_verified__time_moved_by_whoever_plays_it_again__does_not_hold() -> None:
    headers = sign(key=KEY, message_id="m1", at=AT - timedelta(hours=1), body=b"{}")
    headers["webhook-timestamp"] = str(int(AT.timestamp()))
    assert not verified(secret="whsec_" + base64.b64encode(KEY).decode(), headers=headers, body=b"{}", now=AT)


@given(tries=st.integers(1, MOST_TRIES - 1), chance=st.floats(0, 1, exclude_max=True))
def test_pause__any_try__grows_and_stays_within_a_quarter(tries: int, chance: float) -> None:
    pause = pause_after(tries, chance=chance)
    middle = min(30 * 2 ** (tries - 1), 3600)
    assert pause is not None
    assert 0.75 * middle <= pause.total_seconds() <= 1.25 * middle


def test_pause__last_try__is_none() -> None:
    assert pause_after(MOST_TRIES, chance=0.5) is None


@pytest.mark.parametrize(("asked", "seconds"), [(120.0, 120), (1.0, 30), (1e7, LONGEST.total_seconds()), (-5.0, 30)])
def test_pause__receiver_asks_for_a_time__is_at_least_that_up_to_an_hour(asked: float, seconds: float) -> None:
    assert pause_after(1, chance=0.5, asked_for=asked) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("events", "at_least", "told"),
    [
        ([], Severity.INFO, True),
        (["incident.opened"], Severity.WARNING, True),
        (["approval.waiting"], Severity.INFO, False),
        ([], Severity.CRITICAL, False),
    ],
)
def test_wanted__warning_of_an_incident__is_told_by_event_and_severity(
    events: list[str], at_least: Severity, told: bool
) -> None:
    given_ = wanted(event=Event.INCIDENT_OPENED, severity=Severity.WARNING, events=events, at_least=at_least)
    assert given_ is told
