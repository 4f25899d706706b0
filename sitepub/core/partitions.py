"""AWS is several worlds that know nothing of each other: a region belongs to one. What differs between them, as far as sitepub meets it. Pure.

Names, suffixes and regions as botocore's own data have them, which a test compares.
"""

from __future__ import annotations

from msgspec import Struct

from sitepub.errors import ConfigurationError

GLOBAL_HOME = "us-east-1"


class Partition(Struct, frozen=True):
    """`suffix`: the end of its host names. `cdn_region`: where its CloudFront is asked; None where it has none. `has_tags`: its CloudFront
    reads cache tags. `audience`: whom tokens of GitHub and GitLab are for. `words`: as people call it."""

    name: str
    suffix: str
    cdn_region: str | None
    words: str
    has_tags: bool = False
    audience: str = "sts.amazonaws.com"


AWS = Partition("aws", "amazonaws.com", GLOBAL_HOME, "AWS", has_tags=True)

_OTHERS: tuple[tuple[str, Partition], ...] = (
    ("cn-", Partition("aws-cn", "amazonaws.com.cn", "cn-northwest-1", "AWS in China", audience="sts.amazonaws.com.cn")),
    ("us-gov-", Partition("aws-us-gov", "amazonaws.com", None, "AWS GovCloud (US)")),
    ("eusc-", Partition("aws-eusc", "amazonaws.eu", None, "the AWS European Sovereign Cloud")),
    ("us-iso-", Partition("aws-iso", "c2s.ic.gov", None, "an isolated partition of AWS")),
    ("us-isob-", Partition("aws-iso-b", "sc2s.sgov.gov", None, "an isolated partition of AWS")),
    ("eu-isoe-", Partition("aws-iso-e", "cloud.adc-e.uk", None, "an isolated partition of AWS")),
    ("us-isof-", Partition("aws-iso-f", "csp.hci.ic.gov", None, "an isolated partition of AWS")),
)
"""By the beginning of their regions' names. Cache tags: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-by-tags.html"""


def partition_of_region(region: str | None) -> Partition:
    """Without a region it is the one that nearly everybody means."""
    return next((partition for beginning, partition in _OTHERS if (region or "").startswith(beginning)), AWS)


def require_cdn(region: str) -> str:
    """The region in which CloudFront is asked for those who are in `region`. Raises ConfigurationError `no-cloudfront-there`."""
    partition = partition_of_region(region)
    if partition.cdn_region is None:
        raise ConfigurationError(
            "no-cloudfront-there",
            f"`{region}` is in {partition.words}, which has no CloudFront",
            "set `distribution: none`; a distribution of another account is invalidated with that account's credentials",
        )
    return partition.cdn_region
