"""Asks for sitepub's own records as a visitor would: without credentials, at the bucket and at the site's address."""

from __future__ import annotations

import hashlib
import secrets
import urllib.request
from collections.abc import Iterable
from urllib.parse import quote, urljoin

from sitepub.core.model import Digest, Key
from sitepub.core.partitions import partition_of_region
from sitepub.core.settings import BucketAddress
from sitepub.errors import ConfigurationError
from sitepub.interfaces import Anything, Store

_SECONDS = 5
_PROBE = Key("visitor-probe")
_PLAIN = (("Cache-Control", "private, no-store"), ("Content-Type", "text/plain; charset=utf-8"))


def check_hidden(records: Store, addresses: Iterable[str]) -> None:
    """Writes a few random bytes among the records, asks for them at each address, and takes them away. Raises ConfigurationError
    `records-are-public` where a visitor gets them. An address that does not answer shows nothing."""
    word = secrets.token_hex(16).encode()
    records.put(_PROBE, word, _PLAIN, digest=Digest(hashlib.sha256(word).hexdigest()), expect=Anything())
    try:
        exposed = next((address for address in addresses if _answers(address, word)), None)
    finally:
        records.delete(_PROBE, expect=Anything())
    if exposed is not None:
        hint = "keep `.sitepub/` from visitors by the bucket's policy, or set `state:` to a private place"
        raise ConfigurationError(
            "records-are-public", f"everyone can read sitepub's own records, at `{exposed.removesuffix(_PROBE)}`", hint
        )


def visitor_addresses(records: BucketAddress, *, endpoint_url: str | None, region: str, site_url: str | None) -> tuple[str, ...]:
    """Where the probe could be read: the bucket itself, and the site if its records stand below it (`site_url`, else None)."""
    path = quote(f"{records.prefix}/{_PROBE}" if records.prefix else _PROBE)
    if endpoint_url:
        bucket = f"{endpoint_url.rstrip('/')}/{records.bucket}/{path}"
    else:
        bucket = f"https://s3.{region}.{partition_of_region(region).suffix}/{records.bucket}/{path}"
    return (bucket, urljoin(site_url, f".sitepub/{_PROBE}")) if site_url else (bucket,)


def _answers(address: str, word: bytes) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=_SECONDS) as answer:
            return bool(answer.read(len(word) + 1) == word)
    except (OSError, ValueError):
        return False
