"""Pages of a bucket's keys, exactly as they are stored. boto3 sends the request; its own parsing would take ten times as long, and
obstore shows `x/` as `x`, knows no prefix but a folder and fails at `x//y`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote_plus
from xml.etree import ElementTree

from msgspec import Struct

from sitepub.core.model import ETag

_FOUND: Final = "sitepub-listing"


class Page(Struct, frozen=True):
    """Full keys with size and ETag, in the server's order; `next` continues after it."""

    rows: tuple[tuple[str, int, ETag], ...]
    next: str | None


def register_listing(client: Any) -> None:
    """Takes the body of ListObjectsV2 away before botocore parses it."""
    client.meta.events.register("before-parse.s3.ListObjectsV2", _read_before_parsing, unique_id="sitepub-listing")


def list_page(client: Any, bucket: str, prefix: str, token: str | None) -> Page:
    """A thousand keys at the most; `token`: what the page before led to."""
    options = {"ContinuationToken": token} if token else {}
    page: Page = client.list_objects_v2(Bucket=bucket, Prefix=prefix, EncodingType="url", **options)[_FOUND]
    return page


def _read_before_parsing(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:
    # threads that register it at the same moment may have it called twice, and the second call would find no body
    if response_dict["status_code"] == 200 and _FOUND not in customized_response_dict:
        customized_response_dict[_FOUND] = read_page(response_dict["body"])
        response_dict["body"] = b""


def read_page(body: bytes) -> Page:
    """From the XML of ListObjectsV2 (https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html)."""
    root = ElementTree.fromstring(body)
    space = root.tag[: root.tag.index("}") + 1] if root.tag.startswith("{") else ""
    is_encoded = root.findtext(f"{space}EncodingType") == "url"
    rows = tuple(_read_row(contents, space, is_encoded=is_encoded) for contents in root.iterfind(f"{space}Contents"))
    is_truncated = root.findtext(f"{space}IsTruncated") == "true"
    return Page(rows, root.findtext(f"{space}NextContinuationToken") if is_truncated else None)


def _read_row(contents: ElementTree.Element, space: str, *, is_encoded: bool) -> tuple[str, int, ETag]:
    fields: Mapping[str, str] = {child.tag.removeprefix(space): child.text or "" for child in contents}
    key = fields["Key"]
    if is_encoded and ("%" in key or "+" in key):
        key = unquote_plus(key)
    return key, int(fields["Size"]), quote_etag(fields["ETag"])


def quote_etag(etag: str) -> ETag:
    """Some answers leave the quotes out."""
    return ETag(etag if etag.endswith('"') else f'"{etag}"')
