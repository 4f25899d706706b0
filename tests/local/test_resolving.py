"""Names as the system's resolver finds them."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from sitepub.core.whereabouts import Resolution
from sitepub.local.resolving import resolve, resolve_all


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A resolver that knows these: addresses and canonical name, an error, or an event that it waits for."""
    known: dict[str, Any] = {}

    def getaddrinfo(name: str, port: int, **_: object) -> list[Any]:
        found = known[name]
        if isinstance(found, threading.Event):
            found.wait(30)
            return []
        if isinstance(found, int):
            raise socket.gaierror(found, "no")
        canonical, *addresses = found
        return [(2, 1, 6, canonical if number == 0 else "", (address, port)) for number, address in enumerate(addresses)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return known


def test_addresses_and_the_end_of_the_cnames(names: dict[str, Any]) -> None:
    names["www.a.example"] = ("D1.CloudFront.net.", "192.0.2.2", "192.0.2.1", "192.0.2.1")
    assert resolve("www.a.example") == Resolution("d1.cloudfront.net", ("192.0.2.1", "192.0.2.2"))


def test_the_real_resolver_knows_this_machine() -> None:
    found = resolve("localhost")
    assert found is not None and {"127.0.0.1", "::1"} & set(found.addresses)


def test_no_name_is_not_no_answer(names: dict[str, Any]) -> None:
    names |= {"none.example": socket.EAI_NONAME, "later.example": socket.EAI_AGAIN, "a.example": ("a.example", "192.0.2.1")}
    assert resolve_all(names) == {"none.example": None, "a.example": Resolution("a.example", ("192.0.2.1",))}


def test_a_resolver_that_is_silent_is_not_waited_for(names: dict[str, Any]) -> None:
    silent = threading.Event()
    names |= {"silent.example": silent, "a.example": ("a.example", "192.0.2.1")}
    assert set(resolve_all(names, seconds=0.05)) == {"a.example"}
    silent.set()
