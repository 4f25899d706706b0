"""Clients that do nothing a policy does not allow: each call of the fake account as IAM sees it, its actions on resources in a context.

Which permission a call needs is told by the services' own references, not by sitepub:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.support.fake_aws import ACCOUNT, FakeAws, refusal
from tests.support.fake_iam import grants

Context = dict[str, list[str]]

S3 = {
    "create_bucket": "CreateBucket",
    "delete_bucket": "DeleteBucket",
    "delete_bucket_policy": "DeleteBucketPolicy",
    "get_bucket_encryption": "GetEncryptionConfiguration",
    "get_bucket_lifecycle_configuration": "GetLifecycleConfiguration",
    "get_bucket_ownership_controls": "GetBucketOwnershipControls",
    "get_bucket_policy": "GetBucketPolicy",
    "get_bucket_tagging": "GetBucketTagging",
    "get_object_lock_configuration": "GetBucketObjectLockConfiguration",
    "get_public_access_block": "GetBucketPublicAccessBlock",
    "head_bucket": "ListBucket",
    "list_multipart_uploads": "ListBucketMultipartUploads",
    "list_object_versions": "ListBucketVersions",
    "put_bucket_encryption": "PutEncryptionConfiguration",
    "put_bucket_lifecycle_configuration": "PutLifecycleConfiguration",
    "put_bucket_ownership_controls": "PutBucketOwnershipControls",
    "put_bucket_policy": "PutBucketPolicy",
    "put_bucket_tagging": "PutBucketTagging",
    "put_public_access_block": "PutBucketPublicAccessBlock",
}
LISTS = ("list_cache_policies", "list_distributions", "list_functions", "list_origin_access_controls", "list_response_headers_policies")
NEW = ("create_function", "create_origin_access_control", "create_response_headers_policy")


@dataclass(frozen=True, slots=True)
class Need:
    action: str
    resource: str
    context: Context = field(default_factory=dict)


@dataclass(slots=True)
class Guard:
    """`policy`: its statements. `used`: actions that were asked for; `refused`: what it does not allow."""

    aws: FakeAws
    policy: Sequence[Mapping[str, Any]]
    used: set[str] = field(default_factory=set)
    refused: list[Need] = field(default_factory=list)

    def client(self, service: str) -> Any:
        return _Guarded(self, service)

    def judge(self, service: str, operation: str, parameters: Mapping[str, Any]) -> None:
        for need in needs(self.aws, service, operation, parameters):
            self.used.add(need.action)
            if not any(grants(each, need.action, need.resource, need.context) for each in self.policy):
                self.refused.append(need)
                raise refusal("AccessDenied", operation)


class _Guarded:
    def __init__(self, guard: Guard, service: str) -> None:
        self._guard = guard
        self._service = service
        self._client = guard.aws.client(service)

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**parameters: Any) -> Any:
            self._guard.judge(self._service, operation, parameters)
            return getattr(self._client, operation)(**parameters)

        return call


def needs(aws: FakeAws, service: str, operation: str, parameters: Mapping[str, Any]) -> Iterator[Need]:
    """Raises KeyError for a call of which nobody thought."""
    yield from {"s3": _s3, "cloudfront": _cloudfront, "acm": _acm, "route53": _route53, "pricing-plan-manager": _plans}[service](
        aws, operation, parameters
    )


def _s3(aws: FakeAws, operation: str, parameters: Mapping[str, Any]) -> Iterator[Need]:
    bucket = f"arn:aws:s3:::{parameters['Bucket']}"
    if operation == "delete_objects":
        for each in parameters["Delete"]["Objects"]:
            yield Need("s3:DeleteObjectVersion", f"{bucket}/{each['Key']}")
    elif operation == "abort_multipart_upload":
        yield Need("s3:AbortMultipartUpload", f"{bucket}/{parameters['Key']}")
    else:
        yield Need(f"s3:{S3[operation]}", bucket)
    if operation == "create_bucket":
        yield Need("s3:PutBucketOwnershipControls", bucket)
        if parameters.get("CreateBucketConfiguration", {}).get("Tags"):
            yield Need("s3:TagResource", bucket)


def _cloudfront(aws: FakeAws, operation: str, parameters: Mapping[str, Any]) -> Iterator[Need]:
    action = "cloudfront:" + "".join(word.capitalize() for word in operation.split("_"))
    account = f"arn:aws:cloudfront::{ACCOUNT}"
    if operation in LISTS or operation in NEW:
        yield Need(action, "*")
    elif operation == "create_distribution_with_tags":
        context = _tags("Request", parameters["DistributionConfigWithTags"]["Tags"]["Items"])
        yield Need("cloudfront:CreateDistribution", "*", context)
        yield Need("cloudfront:TagResource", "*", context)
    elif operation == "list_tags_for_resource":
        yield Need(action, parameters["Resource"])
    elif "distribution" in operation:
        found = aws.distributions.get(parameters["Id"])
        yield Need(action, f"{account}:distribution/{parameters['Id']}", _tags("Resource", found.tags) if found else {})
    elif "function" in operation:
        yield Need(action, f"{account}:function/{parameters['Name']}")
    else:
        part = "origin-access-control" if "access_control" in operation else "response-headers-policy"
        yield Need(action, f"{account}:{part}/{parameters['Id']}")
    if operation == "create_function" and parameters.get("Tags"):
        yield Need("cloudfront:TagResource", "*", _tags("Request", parameters["Tags"]["Items"]))


def _acm(aws: FakeAws, operation: str, parameters: Mapping[str, Any]) -> Iterator[Need]:
    action = "acm:" + "".join(word.capitalize() for word in operation.split("_"))
    if operation == "list_certificates":
        yield Need(action, "*")
        return
    if operation == "request_certificate":
        names = [parameters["DomainName"], *parameters["SubjectAlternativeNames"]]
        yield Need(action, "*", {"acm:DomainNames": names})
        yield Need("acm:AddTagsToCertificate", f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/new", _keys(parameters["Tags"]))
        return
    found = aws.certificates.get(parameters["CertificateArn"])
    context = _tags("Resource", found.tags) if found else {}
    yield Need(action, parameters["CertificateArn"], {**context, **_keys(parameters.get("Tags", ()))})


def _route53(aws: FakeAws, operation: str, parameters: Mapping[str, Any]) -> Iterator[Need]:
    action = "route53:" + "".join(word.capitalize() for word in operation.split("_"))
    if operation == "list_hosted_zones":
        yield Need(action, "*")
        return
    changes = parameters.get("ChangeBatch", {}).get("Changes", ())
    context: Context = {}
    if changes:
        sets = [each["ResourceRecordSet"] for each in changes]
        context = {
            f"{action}NormalizedRecordNames": [each["Name"].rstrip(".").lower() for each in sets],
            f"{action}RecordTypes": [each["Type"] for each in sets],
            f"{action}Actions": [each["Action"] for each in changes],
        }
    yield Need(action, f"arn:aws:route53:::hostedzone/{parameters['HostedZoneId']}", context)


def _plans(aws: FakeAws, operation: str, parameters: Mapping[str, Any]) -> Iterator[Need]:
    yield Need("pricingplanmanager:" + "".join(word.capitalize() for word in operation.split("_")), "*")


def _tags(what: str, tags: Sequence[Mapping[str, str]]) -> Context:
    return {f"aws:{what}Tag/{each['Key']}": [each["Value"]] for each in tags}


def _keys(tags: Sequence[Mapping[str, str]]) -> Context:
    return {"aws:TagKeys": [each["Key"] for each in tags]} if tags else {}
