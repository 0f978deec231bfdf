"""The suite's ground: real PostgreSQL in the runtime roles, both databases, the network shut, and the cast."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.utils import translation

from contracts.actor import Actor, Role
from selflearn_site.database.connection import wrapper
from tests import emptying

# Tests never see the developer's models or keys. Settings are loaded by now; child processes read the environment.
for _name, _value in {"SELFLEARN_LLM": "offline", "OPENAI_API_KEY": "", "OPENAI_BASE_URL": "", "MAAS_URL": ""}.items():
    os.environ[_name] = _value
    setattr(settings, _name, _value)

# Assertions are written in English; what says Russian asks for it, as a browser does.
os.environ["LANGUAGE_CODE"] = settings.LANGUAGE_CODE = "en"

# A password is hashed to be slow to guess; in hundreds of tests that sign somebody in it is only slow.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

settings.LAST_GOOD_PARAMETERS = None  # tests have many databases, and one disk

BOTH_DATABASES = ["default", "maas"]

emptying.install()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that asks for the database gets both, unless it says which."""
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        marker = item.get_closest_marker("django_db")
        if marker is None and names & {"db", "transactional_db", "live_server"}:
            item.add_marker(
                pytest.mark.django_db(
                    databases=BOTH_DATABASES, transaction=bool(names & {"transactional_db", "live_server"})
                )
            )
        elif marker is not None and "databases" not in marker.kwargs:
            # Added in front, so that pytest-django finds this one first.
            item.add_marker(
                pytest.mark.django_db(*marker.args, **marker.kwargs, databases=BOTH_DATABASES), append=False
            )


# --- the network is shut ---------------------------------------------------------------------------------------------

_connect = socket.socket.connect
_connect_ex = socket.socket.connect_ex
LOOPBACK = ("127.", "::1", "localhost")


class NetworkShut(AssertionError):
    """A test tried to leave this machine."""


def _check(sock: socket.socket, address: Any) -> None:
    if sock.family == socket.AF_UNIX:
        return
    host = str(address[0]) if isinstance(address, tuple) else str(address)
    if not host.startswith(LOOPBACK):
        raise NetworkShut(f"the network is shut in tests: {host}")


@pytest.fixture(autouse=True, scope="session")
def shut_network() -> Iterator[None]:
    def connect(self: socket.socket, address: Any) -> None:
        _check(self, address)
        _connect(self, address)

    def connect_ex(self: socket.socket, address: Any) -> int:
        _check(self, address)
        return _connect_ex(self, address)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", connect)
    patch.setattr(socket.socket, "connect_ex", connect_ex)
    yield
    patch.undo()


# --- the cast --------------------------------------------------------------------------------------------------------


@pytest.fixture
def alice() -> Actor:
    """Sets goals, approves, decides."""
    return Actor(kind="person", name="alice", role=Role.META_USER)


@pytest.fixture
def bob() -> Actor:
    """Starts and stops experiments."""
    return Actor(kind="person", name="bob", role=Role.OPERATOR)


@pytest.fixture
def charlie() -> Actor:
    """Only looks."""
    return Actor(kind="person", name="charlie", role=Role.VIEWER)


@pytest.fixture
def cast(alice: Actor, bob: Actor, charlie: Actor) -> dict[str, Actor]:
    return {"alice": alice, "bob": bob, "charlie": charlie}


@pytest.fixture
def as_owner() -> Any:
    """`with as_owner("maas"): …` for a test that must break what the runtime role may not. Not inside `db`: only
    with `transactional_db`."""
    return lambda alias="default": wrapper(alias).owner()


@pytest.fixture(autouse=True)
def own_language() -> Iterator[None]:
    """Each test begins and ends in the settings' language: a request leaves its reader's active in the thread."""
    translation.activate(settings.LANGUAGE_CODE)  # what no language means was fixed before this file was read
    yield
    translation.activate(settings.LANGUAGE_CODE)
