"""What the publishers of one account tell each other before they send: how many of the month's paths they are about to use. Pure.

A reservation is made by compare-and-swap, so whoever comes later sees it and takes what is left over. It ends when its run has sent, or has not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct, field
from msgspec.structs import replace

from sitepub.core.ledger import Batch, Ledger, decode_ledger, encode_ledger, join
from sitepub.errors import ConfigurationError

FORMAT = 1
LIFE_SECONDS = 3600.0
"""A run that was stopped leaves its reservation. So much later AWS lists what it sent, if it sent anything."""


class Shared(Struct, frozen=True):
    """`ledger`: what any of the publishers knows of the month; `reserved`: by run, when and how many paths; `nonce` is new with every change."""

    ledger: Ledger = field(default_factory=Ledger)
    reserved: Mapping[str, Batch] = field(default_factory=dict)
    nonce: str = ""


def count_reserved(shared: Shared, now: datetime) -> int:
    """Paths of all runs that may still send."""
    return sum(batch.paths for batch in _still_reserved(shared, now).values())


def reserve(shared: Shared, run: str, paths: int, now: datetime, *, nonce: str) -> Shared:
    """The run is about to use so many paths; what it reserved before is replaced."""
    return Shared(shared.ledger, {**_still_reserved(shared, now), run: Batch(now.timestamp(), paths)}, nonce)


def settle(shared: Shared, run: str, ledger: Ledger, now: datetime, *, nonce: str) -> Shared:
    """The run has sent, as `ledger` tells, or has not been able to."""
    kept = {name: batch for name, batch in _still_reserved(shared, now).items() if name != run}
    return Shared(join(shared.ledger, ledger), kept, nonce)


def encode_shared(shared: Shared) -> bytes:
    """JSON, indented: people may look at it."""
    document = {
        "format": FORMAT,
        "nonce": shared.nonce,
        "ledger": encode_ledger(replace(shared.ledger, unseen=())),
        "reserved": {run: [batch.created, batch.paths] for run, batch in sorted(shared.reserved.items())},
    }
    return json.dumps(document, indent=1).encode()


def decode_shared(body: bytes, *, where: str) -> Shared:
    """Raises ConfigurationError on what is no shared ledger, or one of a later sitepub."""
    try:
        document = json.loads(body)
        if document["format"] != FORMAT:
            raise ConfigurationError("unknown-format", f"`{where}` was written by a newer sitepub", "update sitepub")
        reserved = {str(run): Batch(float(created), int(paths)) for run, (created, paths) in document["reserved"].items()}
        return Shared(decode_ledger(document["ledger"]), reserved, str(document["nonce"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError("no-ledger", f"`{where}` is no ledger of sitepub", "name another place in `ledger:`") from error


def _still_reserved(shared: Shared, now: datetime) -> Mapping[str, Batch]:
    return {run: batch for run, batch in shared.reserved.items() if now.timestamp() - batch.created < LIFE_SECONDS}
