"""How long the real clients go on with one write: a lease must outlive all their attempts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sitepub.aws.s3 import S3Store
from sitepub.aws.session import ATTEMPTS, READ_SECONDS, RETRY_SECONDS, AwsSession
from sitepub.core.model import ETag, Key
from sitepub.core.state import LEASE_SECONDS
from sitepub.errors import SitepubError
from sitepub.interfaces import Present
from sitepub.lease import LAST_START
from tests.support.builders import HTML, digest_of
from tests.support.fault_proxy import Fault, Script, run_proxy
from tests.support.servers import ENVIRONMENT, S3Server

READ, RETRY = 0.3, 0.5
RARE = (*HTML, ("Expires", "Thu, 01 Dec 2033 16:00:00 GMT"))

Write = Callable[[S3Store], object]
WRITES: dict[str, Write] = {
    "a put": lambda store: store.put(Key("k"), b"x", HTML, digest=digest_of(b"x"), expect=Present(ETag('"e"'))),
    "a put with rare headers": lambda store: store.put(Key("k"), b"x", RARE, digest=digest_of(b"x"), expect=Present(ETag('"e"'))),
    "a copy": lambda store: store.copy(store.place(Key("other")), Key("k"), HTML, digest=digest_of(b"x"), expect=Present(ETag('"e"'))),
    "a delete": lambda store: store.delete(Key("k"), expect=Present(ETag('"e"'))),
}


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def store(seaweedfs: S3Server, script: Script, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Store]:
    """As on AWS: no look before a conditional write."""
    monkeypatch.setattr(S3Store, "has_own_endpoint", False)
    session = AwsSession(environment=ENVIRONMENT, read_seconds=READ, retry_seconds=RETRY)
    with run_proxy(seaweedfs.endpoint_url, script) as proxy:
        yield S3Store(seaweedfs.make_address(), session, endpoint_url=proxy.endpoint_url)


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_no_attempt_of_a_write_begins_too_late(store: S3Store, script: Script, write: Write) -> None:
    script.begin(lambda seen: Fault.HANG)
    with pytest.raises(SitepubError) as caught:
        write(store)
    assert caught.value.code in ("connection-lost", "unreachable")
    # the third could begin after twice READ at the earliest, which is later than RETRY
    assert 1 <= len(script.seen) <= 2 < ATTEMPTS


def test_a_lease_outlives_the_last_attempt() -> None:
    assert round(LEASE_SECONDS * (1 - LAST_START), 6) >= RETRY_SECONDS + READ_SECONDS
