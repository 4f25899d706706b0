"""What only boto3 can ask of S3: copies and deletes with conditions, rare headers and keys, all headers of an object, the server's clock."""

from __future__ import annotations

from typing import Any

from sitepub.aws.s3_headers import make_parameters, read_head
from sitepub.aws.s3_listing import Page, list_page, quote_etag, register_listing
from sitepub.aws.session import AwsSession
from sitepub.core.model import Digest, ETag, HeaderSet
from sitepub.interfaces import Absent, Expectation, Head, Place, Present, Stored


class FullClient:
    """One bucket. Raises botocore's exceptions."""

    def __init__(self, session: AwsSession, bucket: str, endpoint_url: str | None) -> None:
        self._session = session
        self._endpoint_url = endpoint_url
        self._bucket = bucket

    @property
    def client(self) -> Any:
        client = self._session.client("s3", endpoint_url=self._endpoint_url)
        register_listing(client)
        return client

    def put(self, full_key: str, body: bytes, headers: HeaderSet, digest: Digest, expect: Expectation) -> ETag:
        answer = self.client.put_object(
            Bucket=self._bucket, Key=full_key, Body=body, **make_parameters(headers, digest), **make_conditions(expect)
        )
        return quote_etag(answer["ETag"])

    def copy(self, place: Place, full_key: str, headers: HeaderSet, digest: Digest, expect: Expectation) -> ETag:
        answer = self.client.copy_object(
            Bucket=self._bucket,
            Key=full_key,
            CopySource={"Bucket": place.container, "Key": place.full_key},
            MetadataDirective="REPLACE",
            **make_parameters(headers, digest),
            **make_conditions(expect),
        )
        etag = answer.get("CopyObjectResult", {}).get("ETag")
        return quote_etag(etag) if etag else self.head(full_key).etag

    def delete(self, full_key: str, expect: Expectation) -> None:
        self.client.delete_object(Bucket=self._bucket, Key=full_key, **make_conditions(expect))

    def read(self, full_key: str) -> Stored:
        answer = self.client.get_object(Bucket=self._bucket, Key=full_key)
        with answer["Body"] as body:
            return Stored(body.read(), quote_etag(answer["ETag"]))

    def read_range(self, full_key: str, start: int, length: int) -> bytes:
        answer = self.client.get_object(Bucket=self._bucket, Key=full_key, Range=f"bytes={start}-{start + length - 1}")
        with answer["Body"] as body:
            content: bytes = body.read()
        return content

    def head(self, full_key: str) -> Head:
        answer = self.client.head_object(Bucket=self._bucket, Key=full_key)
        digest, headers = read_head(answer["ResponseMetadata"]["HTTPHeaders"])
        return Head(answer["ContentLength"], quote_etag(answer["ETag"]), digest, headers)

    def size_of(self, place: Place) -> int:
        size: int = self.client.head_object(Bucket=place.container, Key=place.full_key)["ContentLength"]
        return size

    def age(self, full_key: str) -> float:
        """Both times are the server's."""
        from email.utils import parsedate_to_datetime

        answer = self.client.head_object(Bucket=self._bucket, Key=full_key)["ResponseMetadata"]["HTTPHeaders"]
        now, changed = parsedate_to_datetime(answer["date"]), parsedate_to_datetime(answer["last-modified"])
        return max(0.0, (now - changed).total_seconds())

    def list_page(self, prefix: str, token: str | None) -> Page:
        return list_page(self.client, self._bucket, prefix, token)


def make_conditions(expect: Expectation) -> dict[str, str]:
    """As parameters of a put or a delete; none where anything may stand there."""
    if isinstance(expect, Absent):
        return {"IfNoneMatch": "*"}
    return {"IfMatch": expect.etag} if isinstance(expect, Present) else {}
