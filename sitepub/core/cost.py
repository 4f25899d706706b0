"""What a run costs: requests counted, and their price. S3 Standard in us-east-1 (https://aws.amazon.com/s3/pricing/), in USD."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from sitepub.core.changes import Change
from sitepub.core.state import RECORD_INLINE_LIMIT

if TYPE_CHECKING:
    from sitepub.core.plan import Plan

USD_A_WRITE = 0.005 / 1000
USD_A_READ = 0.0004 / 1000
USD_A_GIGABYTE_MONTH = 0.023

MONTHLY_BY_USE = (
    "CloudFront: 1 TB and 10 million requests free, then from $0.085 a GB and $0.0075 for 10,000 requests",
    "edge function: 2 million calls free, then $0.10 a million",
    "invalidation: 1,000 paths free, then $0.005 each",
    "S3: $0.0004 for 1,000 reads, $0.005 for 1,000 writes",
)
"""https://aws.amazon.com/cloudfront/pricing/pay-as-you-go/ and https://aws.amazon.com/s3/pricing/; certificate and alias records cost nothing."""


class Requests(Struct, frozen=True):
    """Calls to the store and to CloudFront, the clients' own retries not counted."""

    store: int
    cdn: int


def price(requests: Requests, puts: Sequence[Change]) -> float:
    """USD for these requests: puts at the price of writes, all others at that of reads."""
    writes = min(requests.store, len(puts))
    return writes * USD_A_WRITE + (requests.store - writes) * USD_A_READ


def foresee_requests(plan: Plan, *, made: Requests, packs: bool, large_bodies: int, invalidates: bool, swap: int = 1) -> Requests:
    """What publishing this plan takes in all, `made` already being made while planning. `swap`: what a swap of the state takes."""
    if plan.is_empty:
        return made
    writes = len(plan.uploads) + len(plan.steps) + len(plan.saved) + 2 * large_bodies + bool(packs)
    records = 1 + (len(plan.uploads) + len(plan.steps) > RECORD_INLINE_LIMIT)
    swaps = (2 + bool(invalidates)) * swap
    return Requests(made.store + writes + records + swaps, made.cdn + bool(invalidates))
