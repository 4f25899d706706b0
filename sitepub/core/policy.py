"""The least that a publisher, or one who only plans, has to be allowed in AWS, and whom a role for GitHub trusts. Pure.

Actions and resources: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html and …/list_amazoncloudfront.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from sitepub.core.partitions import GLOBAL_HOME, partition_of_region, require_cdn
from sitepub.core.settings import BucketAddress, StoreAddress, Target
from sitepub.errors import ConfigurationError, UsageError

Statement = dict[str, object]
Policy = dict[str, object]

VERSION = "2012-10-17"
_GITHUB = "token.actions.githubusercontent.com"


class Purpose(StrEnum):
    """PLAN: all that commands need which write nothing to the target. PREVIEW: publish and removal of previews, and of nothing else."""

    PUBLISH = "publish"
    PLAN = "plan"
    UP = "up"
    DOWN = "down"
    PREVIEW = "preview"


_FROM_PULL_REQUESTS = frozenset((Purpose.PLAN, Purpose.PREVIEW))
"""What anybody's code may do that a pull request brings; all else is for the branch alone."""

_WRITING_BUCKET = ("s3:ListBucket", "s3:ListBucketMultipartUploads")
_WRITING_KEYS = ("s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject")
_BUCKET_ACTIONS = {Purpose.PLAN: ("s3:ListBucket",), Purpose.PUBLISH: _WRITING_BUCKET, Purpose.PREVIEW: _WRITING_BUCKET}
_KEY_ACTIONS = {Purpose.PLAN: ("s3:GetObject",), Purpose.PUBLISH: _WRITING_KEYS, Purpose.PREVIEW: _WRITING_KEYS}


def write_policy(target: Target, purpose: Purpose) -> Policy:
    """Without statements where the target needs nothing of AWS; in the partition of its `region`. For previews `target` is what holds them all
    (`find_root`). The bucket's list is allowed whole: without it S3 answers 403 for a key that is missing, and a condition on the prefix is
    not met by such a question. Raises ConfigurationError `no-cloudfront-there`."""
    statements = [*_allow_bucket(target, purpose), *_allow_distribution(target, purpose)]
    return {"Version": VERSION, "Statement": statements}


def write_trust(target: Target, purpose: Purpose, repository: str) -> Policy:
    """`repository`: as tokens name it in `sub`, `OWNER/NAME` for most (https://docs.github.com/actions/concepts/security/openid-connect).
    Raises ConfigurationError where the target names no account or branch, UsageError `bad-repository`."""
    if target.account is None:
        raise ConfigurationError(
            "no-account", f"`{target.name}` has no `account:`, which the trust policy names", "add `account:` to the target"
        )
    if repository.count("/") != 1 or not all(repository.split("/")) or any(letter in repository for letter in "*?: "):
        raise UsageError("bad-repository", f"`{repository}` names no repository", "write it as `OWNER/NAME`")
    if purpose not in _FROM_PULL_REQUESTS and target.branch is None:
        raise ConfigurationError(
            "no-branch-named", f"`{target.name}` has no `branch:`, which alone may publish", "add `branch:` to the target"
        )
    subject = f"repo:{repository}:" + ("pull_request" if purpose in _FROM_PULL_REQUESTS else f"ref:refs/heads/{target.branch}")
    provider = f"arn:{partition_of(target)}:iam::{target.account}:oidc-provider/{_GITHUB}"
    return {
        "Version": VERSION,
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": provider},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {"StringEquals": {f"{_GITHUB}:aud": partition_of_region(target.region).audience, f"{_GITHUB}:sub": subject}},
            }
        ],
    }


def partition_of(target: Target) -> str:
    """Its name, as ARNs have it."""
    return partition_of_region(target.region).name


def state_address(target: Target) -> StoreAddress:
    """Where sitepub keeps its own records: `state:`, or `.sitepub/` in the bucket; a folder as a whole."""
    if target.state is not None or not isinstance(target.store, BucketAddress):
        return target.state or target.store
    return BucketAddress(target.store.bucket, f"{target.store.prefix}/.sitepub" if target.store.prefix else ".sitepub")


def keys_arn(partition: str, address: BucketAddress) -> str:
    """All keys below the address, as resources of statements name them."""
    return f"arn:{partition}:s3:::{address.bucket}/{address.prefix + '/' if address.prefix else ''}*"


def _allow_bucket(target: Target, purpose: Purpose) -> Iterable[Statement]:
    partition = partition_of(target)
    # a preview has no distribution, so it reserves no paths: code that a pull request brings must not write what all publishers go by
    ledger = None if purpose is Purpose.PREVIEW else target.ledger
    addresses = [address for address in (target.store, target.state, ledger) if isinstance(address, BucketAddress)]
    buckets = sorted({f"arn:{partition}:s3:::{address.bucket}" for address in addresses})
    keys = sorted({keys_arn(partition, address) for address in addresses})
    if buckets:
        yield allow("List", _BUCKET_ACTIONS[purpose], buckets)
        yield allow("Read" if purpose is Purpose.PLAN else "ReadAndWrite", _KEY_ACTIONS[purpose], keys)


def _allow_distribution(target: Target, purpose: Purpose) -> Iterable[Statement]:
    if target.distribution in (None, "none") or purpose is Purpose.PREVIEW:
        return
    require_cdn(target.region or "")
    account = f"arn:{partition_of(target)}:cloudfront::{target.account or '*'}"
    every = f"{account}:distribution"
    yield allow("Look", ("cloudfront:GetDistribution",), [f"{every}/{target.distribution}"])
    # its minimum TTL; which policy the distribution has is not known here
    yield allow("LookAtCachePolicy", ("cloudfront:GetCachePolicy",), [f"{account}:cache-policy/*"])
    if purpose is Purpose.PUBLISH:
        yield allow("Invalidate", ("cloudfront:CreateInvalidation",), [f"{every}/{target.distribution}"])
    # the free paths of a month are those of the whole account; without this sitepub counts its own alone
    yield allow("CountMonth", ("cloudfront:GetInvalidation", "cloudfront:ListInvalidations"), [f"{every}/*"])
    if purpose is Purpose.PLAN:
        yield allow(
            "LookAtCertificate",
            ("acm:DescribeCertificate",),
            [f"arn:{partition_of(target)}:acm:{GLOBAL_HOME}:{target.account or '*'}:certificate/*"],
        )
    tenants = f"{account}:distribution-tenant/*"
    actions = ("cloudfront:GetInvalidationForDistributionTenant", "cloudfront:ListInvalidationsForDistributionTenant")
    yield allow("CountMonthOfTenants", actions, [tenants])
    yield allow("FindDistributions", ("cloudfront:ListDistributions", "cloudfront:ListDistributionTenants"), ["*"])


def allow(name: str, actions: Sequence[str], resources: Sequence[str], condition: Mapping[str, object] | None = None) -> Statement:
    """`name`: the statement's Sid, of letters and digits. `condition`: operator -> key -> values."""
    statement: Statement = {"Sid": name, "Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
    return statement if condition is None else {**statement, "Condition": condition}
