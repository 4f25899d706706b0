"""The least that `up` and `down` have to be allowed in AWS: this bucket, what carries our tag or name, this site's names. Pure.

Actions, resources and condition keys: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudfront.html and the pages
of S3, Certificate Manager and Route 53 beside it. What can't be narrowed by AWS's own rules (lists, what has no name yet) is allowed on `*`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sitepub.core.partitions import GLOBAL_HOME
from sitepub.core.policy import VERSION, Policy, Purpose, Statement, allow, keys_arn, state_address, write_policy
from sitepub.core.provision.blueprint import TAG, Blueprint, make_blueprint
from sitepub.core.settings import BucketAddress, Target

_Condition = Mapping[str, Mapping[str, object]]

_READ_BUCKET = (
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketPolicy",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketTagging",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:ListBucket",
)
_MAKE_BUCKET = (
    "s3:CreateBucket",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:TagResource",
)
_CLEAR_BUCKET = (
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:GetBucketObjectLockConfiguration",
    "s3:ListBucketMultipartUploads",
    "s3:ListBucketVersions",
    "s3:PutBucketPolicy",
)
_CLEAR_KEYS = ("s3:AbortMultipartUpload", "s3:DeleteObject", "s3:DeleteObjectVersion")
_LISTS = (
    "cloudfront:ListDistributions",
    "cloudfront:ListOriginAccessControls",
    "cloudfront:ListResponseHeadersPolicies",
    "pricingplanmanager:ListSubscriptions",
)


def write_policy_for(target: Target, purpose: Purpose) -> Policy:
    """Of any purpose. Raises ConfigurationError where the target can't have it."""
    return write_site_policy(target, purpose) if purpose in (Purpose.UP, Purpose.DOWN) else write_policy(target, purpose)


def write_site_policy(target: Target, purpose: Purpose) -> Policy:
    """For UP or DOWN. Raises ConfigurationError for a target that `up` can't set up."""
    is_compatible = bool(target.endpoint_url) and not target.cdn_endpoint_url
    blueprint = make_blueprint(target, account=target.account or "*", region=target.region or GLOBAL_HOME, is_compatible=is_compatible)
    has_file = target.distribution_config is not None
    statements = _allow_up(blueprint, target, has_file=has_file) if purpose is Purpose.UP else _allow_down(blueprint, target)
    return {"Version": VERSION, "Statement": list(statements)}


def _allow_up(blueprint: Blueprint, target: Target, *, has_file: bool) -> Iterator[Statement]:
    yield allow("LookAtBucket", _READ_BUCKET, [blueprint.bucket_arn])
    yield allow("MakeBucket", _MAKE_BUCKET, [blueprint.bucket_arn])
    yield from _allow_state(blueprint, target, ("s3:GetObject", "s3:PutObject"))
    if not blueprint.has_distribution:
        return
    makes_all = blueprint.distribution is None
    yield from _allow_looks(blueprint, "Config", "cloudfront:ListCachePolicies")
    made = ["cloudfront:CreateOriginAccessControl"]
    if makes_all and not has_file:
        made += ["cloudfront:CreateFunction", "cloudfront:CreateResponseHeadersPolicy"]
        yield allow(
            "BringFunctionUpToDate",
            ("cloudfront:PublishFunction", "cloudfront:UpdateFunction"),
            [_arn(blueprint, f"function/{blueprint.name}")],
        )
        yield allow("ChangeHeadersPolicy", ("cloudfront:UpdateResponseHeadersPolicy",), [_arn(blueprint, "response-headers-policy/*")])
    yield allow("MakeParts", made, ["*"])
    yield allow("ChangeAccessControl", ("cloudfront:UpdateOriginAccessControl",), [_arn(blueprint, "origin-access-control/*")])
    if makes_all:
        yield allow(
            "MakeDistribution", ("cloudfront:CreateDistribution", "cloudfront:TagResource"), ["*"], _require_tag("Request", blueprint)
        )
    yield _change_distribution(blueprint, "cloudfront:UpdateDistribution")
    if blueprint.domains:
        yield from _allow_certificates(blueprint)
        yield from _allow_records(blueprint, "MakeRecords", "CREATE")


def _allow_down(blueprint: Blueprint, target: Target) -> Iterator[Statement]:
    yield allow("LookAtBucket", _READ_BUCKET, [blueprint.bucket_arn])
    yield allow("ClearBucket", _CLEAR_BUCKET, [blueprint.bucket_arn])
    yield allow("ClearKeys", _CLEAR_KEYS, [f"{blueprint.bucket_arn}/*"])
    yield from _allow_state(blueprint, target, ("s3:DeleteObject", "s3:GetObject", "s3:PutObject"))
    if not blueprint.has_distribution:
        return
    yield from _allow_looks(blueprint, "")
    removed = ("cloudfront:DeleteDistribution", "cloudfront:UpdateDistribution")
    yield _change_distribution(blueprint, *removed)
    yield allow("RemoveFunction", ("cloudfront:DeleteFunction",), [_arn(blueprint, f"function/{blueprint.name}")])
    yield allow("RemoveAccessControl", ("cloudfront:DeleteOriginAccessControl",), [_arn(blueprint, "origin-access-control/*")])
    yield allow("RemoveHeadersPolicy", ("cloudfront:DeleteResponseHeadersPolicy",), [_arn(blueprint, "response-headers-policy/*")])
    if blueprint.domains:
        yield _remove_certificate(blueprint)
        yield from _allow_records(blueprint, "RemoveRecords", "DELETE")


def _allow_looks(blueprint: Blueprint, form: str, *lists: str) -> Iterator[Statement]:
    """Lists have no resources of their own. A distribution of ours is found among those that read from the bucket. `form`: what is read of the
    other parts, `Config` or all."""
    more = ("acm:ListCertificates", "route53:ListHostedZones") if blueprint.domains else ()
    yield allow("FindParts", sorted((*_LISTS, *lists, *more)), ["*"])
    read = ("cloudfront:GetDistribution", "cloudfront:GetDistributionConfig", "cloudfront:ListTagsForResource")
    yield allow("LookAtDistributions", read, [_arn(blueprint, f"distribution/{blueprint.distribution or '*'}")])
    yield allow(
        "LookAtFunction", ("cloudfront:DescribeFunction", "cloudfront:GetFunction"), [_arn(blueprint, f"function/{blueprint.name}")]
    )
    for name, part, action in (
        ("LookAtAccessControls", "origin-access-control/*", "OriginAccessControl"),
        ("LookAtHeadersPolicies", "response-headers-policy/*", "ResponseHeadersPolicy"),
    ):
        yield allow(name, (f"cloudfront:Get{action}{form}",), [_arn(blueprint, part)])
    if blueprint.domains:
        yield allow("LookAtCertificates", ("acm:DescribeCertificate", "acm:ListTagsForCertificate"), [_certificates(blueprint)])


def _allow_certificates(blueprint: Blueprint) -> Iterator[Statement]:
    names = {"ForAllValues:StringLike": {"acm:DomainNames": list(blueprint.domains)}}
    yield allow("AskForCertificate", ("acm:RequestCertificate",), ["*"], names)
    keys = {"ForAllValues:StringLike": {"aws:TagKeys": [TAG, f"{TAG}:*"]}}
    yield allow("TagCertificate", ("acm:AddTagsToCertificate",), [_certificates(blueprint)], keys)
    yield _remove_certificate(blueprint)


def _remove_certificate(blueprint: Blueprint) -> Statement:
    return allow("RemoveCertificate", ("acm:DeleteCertificate",), [_certificates(blueprint)], _require_tag("Resource", blueprint))


def _allow_records(blueprint: Blueprint, name: str, act: str) -> Iterator[Statement]:
    """The site's own names, and those by which ACM proves them."""
    if blueprint.zone == "none":
        return
    zone = blueprint.zone if blueprint.zone and "." not in blueprint.zone else "*"
    zones = [f"arn:{blueprint.partition}:route53:::hostedzone/{zone}"]
    yield allow("LookAtRecords", ("route53:ListResourceRecordSets",), zones)
    changes = "route53:ChangeResourceRecordSets"
    conditions = {
        "ForAllValues:StringLike": {
            f"{changes}NormalizedRecordNames": [*blueprint.domains, *(f"_*.{domain}" for domain in blueprint.domains)]
        },
        "ForAllValues:StringEquals": {f"{changes}RecordTypes": ["A", "AAAA", "CNAME"], f"{changes}Actions": [act]},
    }
    yield allow(name, (changes,), zones, conditions)


def _allow_state(blueprint: Blueprint, target: Target, actions: Iterable[str]) -> Iterator[Statement]:
    """What `up` made stands in the target's state."""
    address = state_address(target)
    if not isinstance(address, BucketAddress):
        return
    bucket = f"arn:{blueprint.partition}:s3:::{address.bucket}"
    yield allow("KeepState", sorted(actions), [keys_arn(blueprint.partition, address)])
    if bucket != blueprint.bucket_arn:
        yield allow("ListState", ("s3:ListBucket",), [bucket])


def _change_distribution(blueprint: Blueprint, *actions: str) -> Statement:
    """One that sitepub.yaml names has no tag of ours."""
    if blueprint.distribution is not None:
        return allow("ChangeDistribution", actions, [_arn(blueprint, f"distribution/{blueprint.distribution}")])
    return allow("ChangeDistribution", actions, [_arn(blueprint, "distribution/*")], _require_tag("Resource", blueprint))


def _require_tag(what: str, blueprint: Blueprint) -> _Condition:
    return {"StringEquals": {f"aws:{what}Tag/{TAG}": blueprint.name}}


def _arn(blueprint: Blueprint, part: str) -> str:
    return f"arn:{blueprint.partition}:cloudfront::{blueprint.account}:{part}"


def _certificates(blueprint: Blueprint) -> str:
    return f"arn:{blueprint.partition}:acm:{GLOBAL_HOME}:{blueprint.account}:certificate/*"
