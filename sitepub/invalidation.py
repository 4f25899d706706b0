"""The public door to the invalidation planner: pure functions, safe to call from anywhere."""

from sitepub.core.cover import Cover, cover
from sitepub.core.invalidation import InvalidationPlan, caller_reference, choose_invalidation, price_usd
from sitepub.core.invalidation_paths import Routing, encode_path, find_urls, urls_to_invalidate

__all__ = [
    "Cover",
    "InvalidationPlan",
    "Routing",
    "caller_reference",
    "choose_invalidation",
    "cover",
    "encode_path",
    "find_urls",
    "price_usd",
    "urls_to_invalidate",
]
