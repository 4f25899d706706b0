"""Headers of an artifact as S3's clients take and give them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from sitepub.core.model import WEBSITE_REDIRECT, Digest, HeaderSet, Key
from sitepub.errors import ConfigurationError

DIGEST_FIELD: Final = "sitepub-digest"
RARE_FIELD: Final = "sitepub-rare"
"""Marks our objects that carry a header which the lean client does not show."""

_METADATA: Final = "x-amz-meta-"
_OWN_FIELDS: Final = frozenset((DIGEST_FIELD, RARE_FIELD))
_PARAMETERS: Final[Mapping[str, str]] = {
    "Cache-Control": "CacheControl",
    "Content-Disposition": "ContentDisposition",
    "Content-Encoding": "ContentEncoding",
    "Content-Language": "ContentLanguage",
    "Content-Type": "ContentType",
    "Expires": "Expires",
    WEBSITE_REDIRECT: "WebsiteRedirectLocation",
}
_RARE: Final = frozenset(("Expires", WEBSITE_REDIRECT))
_CANONICAL: Final = {name.lower(): name for name in _PARAMETERS}
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def check_headers(key: Key, headers: HeaderSet) -> None:
    """A header that S3 can't keep is an error before anything is sent."""
    for name, value in headers:
        if name not in _PARAMETERS and not name.lower().startswith(_METADATA):
            raise ConfigurationError(
                "unknown-header", f"S3 can't answer `{key}` with `{name}`", "set it in the distribution's response headers policy"
            )
        if _CONTROL.search(value):
            raise ConfigurationError("bad-header", f"`{name}` of `{key}` holds a control character", "look at `headers:` in sitepub.yaml")


def has_rare_headers(headers: HeaderSet) -> bool:
    """Only boto3 can send these."""
    return any(name in _RARE for name, _ in headers)


def make_attributes(headers: HeaderSet, digest: Digest) -> dict[str, str]:
    """For obstore."""
    attributes = {name.lower().removeprefix(_METADATA) if name not in _PARAMETERS else name: value for name, value in headers}
    return {**attributes, DIGEST_FIELD: digest}


def make_parameters(headers: HeaderSet, digest: Digest) -> dict[str, Any]:
    """For boto3."""
    metadata = {name.lower().removeprefix(_METADATA): value for name, value in headers if name not in _PARAMETERS}
    metadata[DIGEST_FIELD] = digest
    if has_rare_headers(headers):
        metadata[RARE_FIELD] = "1"
    return {**{_PARAMETERS[name]: value for name, value in headers if name in _PARAMETERS}, "Metadata": metadata}


def read_attributes(attributes: Mapping[str, str]) -> tuple[Digest | None, HeaderSet, bool]:
    """Digest, headers, and whether that is all there is: another's object may carry headers that the lean client does not show."""
    digest = attributes.get(DIGEST_FIELD)
    headers = ((name if name in _PARAMETERS else _METADATA + name, value) for name, value in attributes.items() if name not in _OWN_FIELDS)
    return Digest(digest) if digest else None, tuple(sorted(headers)), digest is not None and RARE_FIELD not in attributes


def read_head(answer: Mapping[str, str]) -> tuple[Digest | None, HeaderSet]:
    """From the headers of a HEAD."""
    digest, headers = None, []
    for name, value in answer.items():
        lower = name.lower()
        if lower == _METADATA + DIGEST_FIELD:
            digest = Digest(value)
        elif lower in _CANONICAL:
            headers.append((_CANONICAL[lower], value))
        elif lower.startswith(_METADATA) and lower.removeprefix(_METADATA) not in _OWN_FIELDS:
            headers.append((lower, value))
    return digest, tuple(sorted(headers))
