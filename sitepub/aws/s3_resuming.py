"""Uploads in parts that broke off: which one can be gone on with, and what of it has arrived."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sitepub.aws.failures import read_answer
from sitepub.errors import SitepubError


@dataclass(frozen=True, slots=True)
class Begun:
    """`parts`: ETags by number."""

    upload: dict[str, str]
    parts: Mapping[int, str]


def find_begun(client: Any, where: dict[str, str], count: Callable[[], None]) -> Begun | None:
    """The latest upload to this very key. None too where the server, or the policy, does not tell: then all is sent."""
    try:
        count()
        listed = client.list_multipart_uploads(Bucket=where["Bucket"], Prefix=where["Key"]).get("Uploads", ())
        ids = [found["UploadId"] for found in sorted(listed, key=lambda found: found["Initiated"]) if found["Key"] == where["Key"]]
        if not ids:
            return None
        upload = {**where, "UploadId": ids[-1]}
        return Begun(upload, _list_parts(client, upload, count))
    except Exception as failure:
        if read_answer(failure) is None:
            raise
        return None


def may_be_resumed(failure: BaseException) -> bool:
    """The connection broke or the run was ended. A file that changed, and a server that refuses, make the parts worthless."""
    if isinstance(failure, SitepubError):
        return False
    answer = read_answer(failure)
    return answer is None or answer.status == 429 or answer.status >= 500


def _list_parts(client: Any, upload: dict[str, str], count: Callable[[], None]) -> Mapping[int, str]:
    parts: dict[int, str] = {}
    marker = 0
    while True:
        count()
        page = client.list_parts(**upload, PartNumberMarker=marker)
        parts.update({part["PartNumber"]: part["ETag"] for part in page.get("Parts", ())})
        if not page.get("IsTruncated"):
            return parts
        marker = page["NextPartNumberMarker"]
