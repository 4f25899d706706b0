"""Uploads in parts that broke off: which one can be gone on with, and what of it has arrived."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import Struct, field

from sitepub.aws.failures import read_answer
from sitepub.core.model import Digest
from sitepub.errors import SitepubError

SHORTEST: Final = 8
"""Hex characters of a digest that are no accident."""


class Begun(Struct, frozen=True):
    """Uploads to one key that broke off. `upload`: the one to go on with, if any; `parts`: its ETags by number; `others` are worthless once the key stands."""

    upload: dict[str, str] | None = None
    parts: Mapping[int, str] = field(default_factory=dict)
    others: tuple[dict[str, str], ...] = ()


def find_begun(client: Any, where: dict[str, str], digest: Digest, count: Callable[[], None]) -> Begun:
    """The latest upload to this very key is gone on with, where the key says that it was begun for the same bytes: the digest beside the object is
    that of the upload's beginning. Nothing where the server, or the policy, does not tell: then all is sent."""
    try:
        count()
        listed = client.list_multipart_uploads(Bucket=where["Bucket"], Prefix=where["Key"]).get("Uploads", ())
        ids = [found["UploadId"] for found in sorted(listed, key=lambda found: found["Initiated"]) if found["Key"] == where["Key"]]
        uploads = [{**where, "UploadId": found} for found in ids]
        if not uploads or not names_body(where["Key"], digest):
            return Begun(others=tuple(uploads))
        return Begun(uploads[-1], _list_parts(client, uploads[-1], count), tuple(uploads[:-1]))
    except Exception as failure:
        if read_answer(failure) is None:
            raise
        return Begun()


def names_body(full_key: str, digest: Digest) -> bool:
    """Whether the name says which bytes it is for: `<digest>`, `x.<digest cut short>.css`."""
    pieces = full_key.rpartition("/")[2].split(".")
    return any(len(piece) >= SHORTEST and digest.startswith(piece) for piece in pieces)


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
