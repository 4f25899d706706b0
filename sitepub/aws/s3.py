"""A prefix of an S3 bucket as a Store: bodies through the lean client, the rest through boto3, every failure explained."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Final, TypeVar

from msgspec import structs

from sitepub.aws.failures import Asked, read_answer
from sitepub.aws.file_bodies import PART_BYTES, read_small
from sitepub.aws.s3_asking import Asking
from sitepub.aws.s3_headers import check_headers, has_rare_headers, make_attributes, read_attributes
from sitepub.aws.s3_lean import LeanClient, keeps_key
from sitepub.aws.session import ATTEMPTS, AwsSession
from sitepub.core.model import Digest, ETag, HeaderSet, Key
from sitepub.core.settings import BucketAddress
from sitepub.errors import ConfigurationError, StoppedError
from sitepub.interfaces import Absent, Anything, Body, ConditionFailedError, Expectation, FileBody, Head, Listed, Place, Present, Stored

if TYPE_CHECKING:
    from sitepub.aws.s3_full import FullClient
    from sitepub.aws.s3_parts import PartsUpload

R = TypeVar("R")

SLOTS: Final = 8
"""File bodies in memory at once, of PART_BYTES each."""

_GET: Final = "s3:GetObject"
_PUT: Final = "s3:PutObject"
_DELETE: Final = "s3:DeleteObject"
_LIST: Final = "s3:ListBucket"


class S3Store:
    """`s3://bucket/prefix`. `is_conditional` is False where a probe found a server that ignores conditions."""

    def __init__(
        self,
        address: BucketAddress,
        session: AwsSession,
        *,
        endpoint_url: str | None = None,
        is_conditional: bool = True,
        attempts: int = ATTEMPTS,
    ) -> None:
        self._address = address
        self._prefix = f"{address.prefix}/" if address.prefix else ""
        self._session = session
        self._endpoint_url = endpoint_url or session.endpoint("s3")
        self._is_conditional = is_conditional
        # records and site mostly stand in one bucket: one pool of connections serves both
        self._lean = session.share(
            f"{self._endpoint_url} {address.bucket} {attempts}", lambda: LeanClient(session, address.bucket, self._endpoint_url, attempts)
        )
        self._asking = Asking(address, self._describe_asked, lambda: self._lean.credential_failure)
        self._slots = threading.BoundedSemaphore(SLOTS)

    @property
    def requests(self) -> int:
        return self._asking.requests

    @property
    def keeps_headers(self) -> bool:
        return True

    @property
    def is_conditional(self) -> bool:
        return self._is_conditional

    def look_before_writing(self) -> None:
        """From now on expectations are looked up before the write: a probe found that the server ignores them."""
        self._is_conditional = False

    @property
    def has_own_endpoint(self) -> bool:
        """Not AWS: such a server may ignore conditions; `judges_conditions` tells."""
        return self._endpoint_url is not None

    def describe(self) -> str:
        return str(self._address)

    def place(self, key: Key) -> Place:
        return Place(self._address.bucket, self._prefix + key)

    def read(self, key: Key) -> Stored | None:
        return self._asking.ask(_GET, key, lambda: self._reader(key).read(self._prefix + key))

    def read_range(self, key: Key, start: int, length: int) -> bytes:
        if length <= 0:
            return b""
        body = self._asking.ask(_GET, key, lambda: self._read_range(key, start, length))
        if body is None:
            raise StoppedError("missing-body", f"`{key}` is not in `{self.describe()}`", "run `sitepub verify`")
        return body

    def head(self, key: Key) -> Head | None:
        """Another's object is asked for twice: the lean client does not show all headers."""
        if keeps_key(self._prefix + key):
            found = self._look(key, lambda: self._lean.head(self._prefix + key))
            if found is None:
                return None
            size, etag, attributes = found
            digest, headers, is_all = read_attributes(attributes)
            if is_all:
                return Head(size, etag, digest, headers)
        return self._look(key, lambda: self._full.head(self._prefix + key))

    def list(self, prefix: str = "") -> Iterator[Listed]:
        rows = self._list_pages(self._prefix + prefix)
        # other servers have orders of their own: SeaweedFS lists `a/b` before `a.b`
        for full_key, size, etag in sorted(rows, key=lambda row: row[0].encode()) if self.has_own_endpoint else rows:
            yield Listed(Key(full_key.removeprefix(self._prefix)), size, etag)

    def may_hold(self, keys: Collection[Key] | None) -> bool:
        """By the lean client, which shows some keys as others; where it fails, an exact listing tells why."""
        if not all(keeps_key(self._prefix + key) for key in keys or ()):
            return True
        try:
            # of an empty bucket there is no page, but it was asked all the same
            self._asking.count()
            for number, full_keys in enumerate(self._lean.list_pages(self._prefix)):
                if number:
                    self._asking.count()
                if any(keys is None or full_key.removeprefix(self._prefix) in keys for full_key in full_keys):
                    return True
        except Exception:
            return True
        return False

    def age(self, key: Key) -> float | None:
        return self._look(key, lambda: self._full.age(self._prefix + key))

    def put(self, key: Key, body: Body, headers: HeaderSet, *, digest: Digest, expect: Expectation) -> ETag:
        check_headers(key, headers)
        if isinstance(body, bytes):
            return self._put(key, body, headers, digest, expect)
        if body.size > PART_BYTES:
            return self._put_parts(key, body, headers, digest, expect)
        with self._slots:
            return self._put(key, read_small(body, digest), headers, digest, expect)

    def copy(self, place: Place, key: Key, headers: HeaderSet, *, digest: Digest, expect: Expectation) -> ETag:
        check_headers(key, headers)
        self._look_first(key, expect, is_judged_by_server=self._is_conditional and not self.has_own_endpoint)
        condition = expect if self._is_conditional else Anything()
        full_key = self._prefix + key
        # of the same bytes the ETag is the same, but of an upload in parts it is another
        in_parts = place == self.place(key) and isinstance(condition, Present) and "-" not in condition.etag
        try:
            if in_parts:
                etag = self._asking.try_all(_PUT, key, lambda: self._copy_parts(place, full_key, headers, digest, condition))
            else:
                etag = self._asking.ask(_PUT, key, lambda: self._full.copy(place, full_key, headers, digest, condition))
        except StoppedError as failure:
            if not _is_too_large_to_copy(failure.__cause__):
                raise
            etag = self._asking.try_all(_PUT, key, lambda: self._copy_parts(place, full_key, headers, digest, condition))
        if etag is not None:
            return etag
        if isinstance(expect, Present) and self.head(key) is None:
            raise ConditionFailedError(key)
        raise StoppedError("missing-body", f"`s3://{place.container}/{place.full_key}` is missing", "run `sitepub verify`")

    def delete(self, key: Key, *, expect: Expectation) -> None:
        if not isinstance(expect, Anything):
            found = self.head(key) if isinstance(expect, Absent) or not self._is_conditional or self.has_own_endpoint else None
            if found is not None and expect != Present(found.etag):
                raise ConditionFailedError(key)
            if isinstance(expect, Absent):
                return
        try:
            self._asking.ask(_DELETE, key, lambda: self._delete(key, expect))
        except ConditionFailedError:
            # some servers refuse where nothing is left to delete
            if self.head(key) is not None:
                raise

    def _put(self, key: Key, body: bytes, headers: HeaderSet, digest: Digest, expect: Expectation) -> ETag:
        self._look_first(key, expect, is_judged_by_server=self._is_conditional)
        condition = expect if self._is_conditional else Anything()
        full_key = self._prefix + key
        if keeps_key(full_key) and not has_rare_headers(headers):
            attributes = make_attributes(headers, digest)
            return self._asking.write(_PUT, key, lambda: self._lean.put(full_key, body, attributes, condition))
        return self._asking.write(_PUT, key, lambda: self._full.put(full_key, body, headers, digest, condition))

    def _put_parts(self, key: Key, body: FileBody, headers: HeaderSet, digest: Digest, expect: Expectation) -> ETag:
        """Looks first in any case: a refusal after the last part comes late."""
        self._look_first(key, expect, is_judged_by_server=False)
        condition = expect if self._is_conditional else Anything()
        try:
            put = self._asking.try_all(_PUT, key, lambda: self._parts().put(self._prefix + key, body, headers, digest, condition))
        except StoppedError as failure:
            if failure.code != "upload-lost":
                raise
            # the answer to a completed upload was lost, and the client asked again
            found = self.head(key)
            if found is None or found.digest != digest:
                raise
            return found.etag
        if put is None:
            raise ConditionFailedError(key)
        etag, is_resumed = put
        return self._correct_headers(key, headers, digest, etag) if is_resumed else etag

    def _correct_headers(self, key: Key, headers: HeaderSet, digest: Digest, etag: ETag) -> ETag:
        """An upload that was gone on with has the headers that it was begun with."""
        head = self.head(key)
        if head is None or head.etag != etag:
            raise ConditionFailedError(key)
        if (head.headers, head.digest) == (headers, digest):
            return etag
        return self.copy(self.place(key), key, headers, digest=digest, expect=Present(etag))

    def _copy_parts(self, place: Place, full_key: str, headers: HeaderSet, digest: Digest, condition: Expectation) -> ETag:
        self._asking.count()
        size = self._full.size_of(place)
        if not size:
            self._asking.count()
            return self._full.copy(place, full_key, headers, digest, condition)
        return self._parts().copy(place, size, full_key, headers, digest, condition)

    @property
    def _full(self) -> FullClient:
        """Imported when it is needed: most publishes need neither boto3 nor a parser of XML."""
        from sitepub.aws.s3_full import FullClient

        return FullClient(self._session, self._address.bucket, self._endpoint_url)

    def _parts(self) -> PartsUpload:
        from sitepub.aws.s3_parts import PartsUpload

        return PartsUpload(self._full.client, self._address.bucket, self._slots, self._asking.count)

    def _delete(self, key: Key, expect: Expectation) -> None:
        if isinstance(expect, Present) and self._is_conditional:
            self._full.delete(self._prefix + key, expect)
        elif keeps_key(self._prefix + key):
            self._lean.delete(self._prefix + key)
        else:
            self._full.delete(self._prefix + key, Anything())

    def _look_first(self, key: Key, expect: Expectation, *, is_judged_by_server: bool) -> None:
        if is_judged_by_server or isinstance(expect, Anything):
            return
        found = self.head(key)
        if (found is not None) if isinstance(expect, Absent) else (found is None or found.etag != expect.etag):
            raise ConditionFailedError(key)

    def _reader(self, key: Key) -> LeanClient | FullClient:
        return self._lean if keeps_key(self._prefix + key) else self._full

    def _read_range(self, key: Key, start: int, length: int) -> bytes:
        try:
            return self._reader(key).read_range(self._prefix + key, start, length)
        except Exception as failure:
            answer = read_answer(failure)
            if answer is not None and answer.status == 416:
                return b""
            raise

    def _look(self, key: Key, call: Callable[[], R]) -> R | None:
        """A HEAD. Its refusals have no body, so why it was refused, and whether the bucket is there at all, a GET has to tell."""
        try:
            found = self._asking.ask(_GET, key, call)
        except ConfigurationError as failure:
            if failure.code == "access-denied":
                self.read_range(key, 0, 1)
            raise
        if found is None and not self._asking.has_seen_bucket:
            self._asking.ask(_GET, key, lambda: self._read_range(key, 0, 1))
            self._asking.has_seen_bucket = True
        return found

    def _list_pages(self, prefix: str) -> Iterator[tuple[str, int, ETag]]:
        token: str | None = None
        while True:
            page = self._asking.ask(_LIST, "", lambda: self._full.list_page(prefix, token))  # noqa: B023
            if page is None:
                return
            yield from page.rows
            if page.next is None:
                return
            token = page.next

    def _describe_asked(self, asked: Asked) -> Asked:
        try:
            region = self._session.region
        except Exception:  # the profile that would tell it may be what is wrong
            region = ""
        return structs.replace(asked, region=region, profile=self._session.profile)


def _is_too_large_to_copy(failure: BaseException | None) -> bool:
    answer = read_answer(failure) if failure is not None else None
    return answer is not None and answer.status == 400 and ("copy source is larger" in answer.message or answer.code == "EntityTooLarge")
