"""Large files in parts: each is read, hashed and sent while the next is read; nothing appears unless the whole is what it should be."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeVar

from msgspec import Struct

from sitepub.aws.file_bodies import PART_BYTES, explain_changed
from sitepub.aws.s3_full import make_conditions
from sitepub.aws.s3_headers import make_parameters
from sitepub.aws.s3_listing import quote_etag
from sitepub.aws.s3_resuming import find_begun, may_be_resumed, names_body
from sitepub.core.model import Digest, ETag, HeaderSet
from sitepub.gathering import run_all
from sitepub.interfaces import Expectation, FileBody, Place

MAX_PARTS: Final = 10_000
_COPY_BYTES: Final = 256 * 1024 * 1024
_PARTS_AT_ONCE: Final = 4


class _Part(Struct):
    number: int
    body: bytes

    def take(self) -> bytes:
        """Leaves nothing behind: the list of parts outlives their bodies."""
        body, self.body = self.body, b""
        return body


class _Span(Struct, frozen=True):
    number: int
    start: int
    end: int


P = TypeVar("P", _Part, _Span)


class PartsUpload:
    """One bucket. `slots` bounds the parts in memory over all uploads of a store; `count` is called for each request."""

    def __init__(self, client: Any, bucket: str, slots: threading.BoundedSemaphore, count: Callable[[], None]) -> None:
        self._client = client
        self._bucket = bucket
        self._slots = slots
        self._count = count

    def put(self, full_key: str, body: FileBody, headers: HeaderSet, digest: Digest, expect: Expectation) -> tuple[ETag, bool]:
        """True where an upload that broke off was gone on with: it may have been begun with other headers."""
        where = {"Bucket": self._bucket, "Key": full_key}
        begun = find_begun(self._client, where, digest, self._count)
        upload = begun.upload or self._begin(where, headers, digest)
        parts = self._read_parts(body, digest)
        is_kept = may_be_resumed if names_body(full_key, digest) else lambda _: False
        etag = self._complete(upload, expect, lambda part: self._send(part, upload, begun.parts), parts, is_kept)
        for other in begun.others:
            self._abort(other)
        return etag, begun.upload is not None

    def copy(self, place: Place, size: int, full_key: str, headers: HeaderSet, digest: Digest, expect: Expectation) -> ETag:
        """For what a single copy can't take (5 GB)."""
        step = max(_COPY_BYTES, -(-size // MAX_PARTS))
        spans = [_Span(number, start, min(start + step, size)) for number, start in enumerate(range(0, size, step), 1)]
        upload = self._begin({"Bucket": self._bucket, "Key": full_key}, headers, digest)
        is_whole = len(spans) == 1
        return self._complete(upload, expect, lambda span: self._copy_span(place, span, upload, is_whole), spans, lambda _: False)

    def _begin(self, where: dict[str, str], headers: HeaderSet, digest: Digest) -> dict[str, str]:
        self._count()
        return {**where, "UploadId": self._client.create_multipart_upload(**where, **make_parameters(headers, digest))["UploadId"]}

    def _complete(
        self,
        upload: dict[str, str],
        expect: Expectation,
        send: Callable[[P], str],
        parts: Iterable[P],
        is_kept: Callable[[BaseException], bool],
    ) -> ETag:
        try:
            sent = run_all(send, parts, workers=_PARTS_AT_ONCE)
            etags = [{"PartNumber": part.number, "ETag": etag} for part, etag in sent]
            self._count()
            answer = self._client.complete_multipart_upload(**upload, MultipartUpload={"Parts": etags}, **make_conditions(expect))
        except BaseException as failure:
            if not is_kept(failure):
                self._abort(upload)
            raise
        return quote_etag(answer["ETag"])

    def _read_parts(self, body: FileBody, digest: Digest) -> Iterator[_Part]:
        hasher = hashlib.sha256()
        size = max(PART_BYTES, -(-body.size // MAX_PARTS))
        try:
            with body.path.open("rb", buffering=0) as file:
                number = 1
                while chunk := self._read_part(file, size):
                    hasher.update(chunk)
                    yield _Part(number, chunk)
                    number += 1
        except OSError as failure:
            raise explain_changed(body.path) from failure
        if hasher.hexdigest() != digest:
            raise explain_changed(body.path)

    def _read_part(self, file: Any, size: int) -> bytes:
        """Takes a slot, which `_send` gives back."""
        self._slots.acquire()
        chunk = b""
        try:
            chunk = _read_fully(file, size)
        finally:
            if not chunk:
                self._slots.release()
        return chunk

    def _send(self, part: _Part, upload: dict[str, str], arrived: Mapping[int, str]) -> str:
        """What arrived before is not sent again."""
        try:
            body = part.take()
            there = arrived.get(part.number)
            if there is not None and there.strip('"') == hashlib.md5(body, usedforsecurity=False).hexdigest():
                return there
            self._count()
            etag: str = self._client.upload_part(**upload, PartNumber=part.number, Body=body)["ETag"]
            return etag
        finally:
            self._slots.release()

    def _copy_span(self, place: Place, span: _Span, upload: dict[str, str], is_whole: bool) -> str:
        """S3 takes a range only of what is larger than 5 MB.
        https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html"""
        self._count()
        source = {"Bucket": place.container, "Key": place.full_key}
        span_of = {} if is_whole else {"CopySourceRange": f"bytes={span.start}-{span.end - 1}"}
        answer = self._client.upload_part_copy(**upload, PartNumber=span.number, CopySource=source, **span_of)
        etag: str = answer["CopyPartResult"]["ETag"]
        return etag

    def _abort(self, upload: dict[str, str]) -> None:
        # what can't be aborted costs storage until a lifecycle rule takes it; the first failure matters more
        with contextlib.suppress(Exception):
            self._count()
            self._client.abort_multipart_upload(**upload)


def _read_fully(file: Any, size: int) -> bytes:
    """A raw read may stop early."""
    chunk: bytes = file.read(size)
    while chunk and len(chunk) < size and (more := file.read(size - len(chunk))):
        chunk += more
    return chunk
