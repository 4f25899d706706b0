"""Bodies through obstore: a sixth of boto3's processor time and one round trip a put. Raises obstore's exceptions."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sitepub.aws.retries import repeat
from sitepub.aws.session import CONNECT_SECONDS, AwsSession
from sitepub.core.model import ETag
from sitepub.core.partitions import AWS, partition_of_region
from sitepub.interfaces import Absent, Expectation, Present, Stored

if TYPE_CHECKING:
    from obstore import PutMode
    from obstore.store import ClientConfig, RetryConfig, S3Credential, S3Store

R = TypeVar("R")

SMALL_BODY: Final = 128 * 1024
"""Up to here an answer is due within the session's `read_seconds`, so that a write ends before a lease does; larger ones may need a slow line for minutes."""

_LARGE_BODY_SECONDS: Final = 300
_ALTERED: Final = re.compile(r"[\x00-\x1f\x7f]|\\")
_DOT_SEGMENTS: Final = frozenset(("", ".", ".."))


def keeps_key(full_key: str) -> bool:
    """obstore refuses or alters other keys (`x//y`, `x/`, `../x`, backslashes, control characters)."""
    return _ALTERED.search(full_key) is None and _DOT_SEGMENTS.isdisjoint(full_key.split("/"))


class LeanClient:
    """One bucket. `attempts` counts the first one."""

    def __init__(self, session: AwsSession, bucket: str, endpoint_url: str | None, attempts: int) -> None:
        self._session = session
        self._bucket = bucket
        self._endpoint_url = endpoint_url
        self._attempts = attempts
        self._lock = threading.Lock()
        self._stores: dict[float, S3Store] = {}
        self.credential_failure: BaseException | None = None
        """Why the last renewal of credentials failed; obstore itself gives it as text only."""

    def put(self, full_key: str, body: bytes, attributes: dict[str, str], expect: Expectation) -> ETag:
        import obstore

        store = self._store(None if len(body) <= SMALL_BODY else _LARGE_BODY_SECONDS)
        mode = _make_mode(expect)
        result = self._repeat(lambda: obstore.put(store, full_key, body, attributes=attributes, mode=mode, use_multipart=False))
        return ETag(result["e_tag"] or "")

    def read(self, full_key: str) -> Stored:
        import obstore

        def get() -> Stored:
            result = obstore.get(self._store(), full_key)
            return Stored(bytes(result.bytes()), ETag(result.meta["e_tag"] or ""))

        return self._repeat(get)

    def read_range(self, full_key: str, start: int, length: int) -> bytes:
        import obstore

        try:
            return self._repeat(lambda: bytes(obstore.get_range(self._store(), full_key, start=start, length=length)))
        except Exception as failure:
            # some servers answer with the whole where that is what was asked for
            if "non-partial response" not in str(failure):
                raise
            return self.read(full_key).body[start : start + length]

    def head(self, full_key: str) -> tuple[int, ETag, dict[str, str]]:
        import obstore

        result = self._repeat(lambda: obstore.get(self._store(), full_key, options={"head": True}))
        return result.meta["size"], ETag(result.meta["e_tag"] or ""), result.attributes

    def list_pages(self, folder: str) -> Iterator[list[str]]:
        """Keys: `x/` comes as `x`, `/x` too, and a control character as something else. Fails at `x//y`. Repeats nothing."""
        import obstore

        for page in obstore.list(self._store(), folder or None, chunk_size=1000):
            yield [found["path"] for found in page]

    def delete(self, full_key: str) -> None:
        import obstore

        self._repeat(lambda: obstore.delete(self._store(), full_key))

    def _repeat(self, call: Callable[[], R]) -> R:
        return repeat(call, attempts=self._attempts, seconds=self._session.retry_seconds, refused=self._session.refused)

    def _store(self, large_body_seconds: float | None = None) -> S3Store:
        read_seconds = large_body_seconds or self._session.read_seconds
        with self._lock:
            if read_seconds not in self._stores:
                self._stores[read_seconds] = self._make_store(read_seconds)
            return self._stores[read_seconds]

    def _make_store(self, read_seconds: float) -> S3Store:
        from obstore.store import S3Store

        options: ClientConfig = {
            "allow_http": (self._endpoint_url or "").startswith("http:"),
            "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
            "read_timeout": timedelta(seconds=read_seconds),
            # the whole of a download may take long, as long as bytes keep coming
            "timeout": timedelta(hours=1),
            "user_agent": "sitepub",
        }
        if certificates := self._session.ca_bundle():
            options["root_certificate"] = certificates
        # it repeats too little: retries.py does
        retries: RetryConfig = {"max_retries": 0}
        settings: dict[str, Any] = {"region": self._session.region, "virtual_hosted_style_request": False, "disable_bulk_delete": True}
        partition = partition_of_region(self._session.region)
        if self._endpoint_url:
            settings["endpoint"] = self._endpoint_url
        elif partition is not AWS:
            # it knows hosts of the largest partition alone
            settings["endpoint"] = f"https://s3.{self._session.region}.{partition.suffix}"
        return S3Store(self._bucket, client_options=options, retry_config=retries, credential_provider=self._provide_keys(), **settings)

    def _provide_keys(self) -> Any:
        # asked here once, so that a failure is raised as it is
        self._session.find_keys()

        def provide() -> S3Credential:
            try:
                keys = self._session.find_keys()
            except Exception as failure:
                self.credential_failure = failure
                raise
            self.credential_failure = None
            return {
                "access_key_id": keys.id,
                "secret_access_key": keys.secret,
                "token": keys.token,
                "expires_at": keys.expires_at,
            }

        return provide


def _make_mode(expect: Expectation) -> PutMode:
    if isinstance(expect, Absent):
        return "create"
    return {"e_tag": expect.etag} if isinstance(expect, Present) else "overwrite"
