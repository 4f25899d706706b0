"""Asks for sitepub's own records as a visitor would: without credentials, at the bucket and at the site's address."""

from __future__ import annotations

import http.client
import urllib.request
from collections.abc import Iterable
from urllib.parse import quote, urljoin

from sitepub.aws.probe import Probe
from sitepub.core.partitions import partition_of_region
from sitepub.core.settings import BucketAddress
from sitepub.errors import ConfigurationError

_SECONDS = 5
_SOME = "state.json"


def check_hidden(probe: Probe, addresses: Iterable[str]) -> None:
    """Asks for the probe beside each of the addresses. Raises ConfigurationError `records-are-public` where a visitor gets it. An address that
    does not answer shows nothing."""
    exposed = next((address for address in addresses if _answers(urljoin(address, probe.key), probe.body)), None)
    if exposed is not None:
        hint = "keep `.sitepub/` from visitors by the bucket's policy, or set `state:` to a private place"
        message = f"everyone can read sitepub's own records, at `{urljoin(exposed, '.')}`"
        raise ConfigurationError("records-are-public", message, hint)


def visitor_addresses(records: BucketAddress, *, endpoint_url: str | None, region: str, site_url: str | None) -> tuple[str, ...]:
    """Where some key among the records could be read: in the bucket itself, and on the site if they stand below it (`site_url`, else None)."""
    path = quote(f"{records.prefix}/{_SOME}" if records.prefix else _SOME)
    if endpoint_url:
        bucket = f"{endpoint_url.rstrip('/')}/{records.bucket}/{path}"
    else:
        bucket = f"https://s3.{region}.{partition_of_region(region).suffix}/{records.bucket}/{path}"
    return (bucket, urljoin(site_url, f".sitepub/{_SOME}")) if site_url else (bucket,)


def _answers(address: str, word: bytes) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=_SECONDS) as answer:
            return bool(answer.read(len(word) + 1) == word)
    except (OSError, ValueError, http.client.HTTPException):
        return False
