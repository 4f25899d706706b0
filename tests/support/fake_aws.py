"""A fake account of AWS, as far as `up` and `down` reach: S3's buckets, CloudFront, ACM, Route 53, pricing plans. Clients with boto3's shape,
a clock, states that take their time, ETags, conflicts and quotas as AWS documents them, and a hook around each call.

Sources: the API references of the services, botocore's service models, and the guides that docs/ names beside each rule.
"""

from __future__ import annotations

import copy
import itertools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from sitepub.core.provision.configs import CACHE_POLICY, CACHE_POLICY_ID
from sitepub.core.provision.domains import CLOUDFRONT_ZONE, covers
from sitepub.interfaces import Clock
from tests.support.memory_store import MemoryBucket, MemoryStore

ACCOUNT = "111122223333"
FUNCTION_BYTES = 10_240
ACCESS_CONTROLS = 100
TAGS = re.compile(r"[\w .:/=+@-]*")

STATUSES = {
    "AccessDenied": 403,
    "BucketAlreadyExists": 409,
    "BucketAlreadyOwnedByYou": 409,
    "BucketNotEmpty": 409,
    "CNAMEAlreadyExists": 409,
    "DistributionAlreadyExists": 409,
    "DistributionNotDisabled": 409,
    "FunctionAlreadyExists": 409,
    "FunctionInUse": 409,
    "FunctionSizeLimitExceeded": 413,
    "NoSuchBucket": 404,
    "NoSuchBucketPolicy": 404,
    "NoSuchDistribution": 404,
    "NoSuchFunctionExists": 404,
    "NoSuchHostedZone": 404,
    "NoSuchLifecycleConfiguration": 404,
    "NoSuchOriginAccessControl": 404,
    "NoSuchPublicAccessBlockConfiguration": 404,
    "NoSuchResponseHeadersPolicy": 404,
    "NoSuchTagSet": 404,
    "ObjectLockConfigurationNotFoundError": 404,
    "OriginAccessControlAlreadyExists": 409,
    "OriginAccessControlInUse": 409,
    "OwnershipControlsNotFoundError": 404,
    "PreconditionFailed": 412,
    "ResourceInUse": 409,
    "ResponseHeadersPolicyAlreadyExists": 409,
    "ResponseHeadersPolicyInUse": 409,
    "ServerSideEncryptionConfigurationNotFoundError": 404,
    "ServiceUnavailable": 503,
}


def refusal(code: str, operation: str, message: str = "refused", status: int | None = None) -> ClientError:
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status or STATUSES.get(code, 400)}}
    return ClientError(response, operation)  # type: ignore[arg-type, unused-ignore]


@dataclass(slots=True)
class Distribution:
    id: str
    config: dict[str, Any]
    tags: list[dict[str, str]]
    etag: str
    deployed_at: datetime

    @property
    def arn(self) -> str:
        return f"arn:aws:cloudfront::{ACCOUNT}:distribution/{self.id}"

    @property
    def domain(self) -> str:
        return f"{self.id.lower()}.cloudfront.net"

    @property
    def names(self) -> list[str]:
        return list((self.config.get("Aliases") or {}).get("Items") or ())


@dataclass(slots=True)
class Certificate:
    arn: str
    domains: list[str]
    tags: list[dict[str, str]]
    asked_at: datetime
    token: str
    proved_at: datetime | None = None
    key: str = "RSA_2048"
    status: str = ""


@dataclass(slots=True)
class Function:
    config: dict[str, Any]
    code: bytes
    etag: str
    live: bytes | None = None


@dataclass(slots=True)
class Part:
    """An access control or a headers policy."""

    id: str
    config: dict[str, Any]
    etag: str


@dataclass(slots=True)
class Zone:
    id: str
    name: str
    is_private: bool = False
    records: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Bucket:
    region: str
    tags: list[dict[str, str]]
    settings: dict[str, Any] = field(default_factory=dict)
    memory: MemoryBucket = field(default_factory=MemoryBucket)


@dataclass(slots=True)
class FakeAws:
    """`around`: called with the operation before (`is_done` False) and after each call; may raise, so that a call is never made or its answer is
    lost. `lacks`: operations that this endpoint does not know."""

    clock: Clock
    around: Callable[[str, bool], None] | None = None
    seconds_to_deploy: float = 180
    seconds_to_record: float = 5
    seconds_to_issue: float = 40
    page: int = 2
    lacks: set[str] = field(default_factory=set)
    denied: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    buckets: dict[str, Bucket] = field(default_factory=dict)
    foreign_buckets: set[str] = field(default_factory=set)
    distributions: dict[str, Distribution] = field(default_factory=dict)
    references: set[str] = field(default_factory=set)
    access_controls: dict[str, Part] = field(default_factory=dict)
    headers_policies: dict[str, Part] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    certificates: dict[str, Certificate] = field(default_factory=dict)
    zones: dict[str, Zone] = field(default_factory=dict)
    planned: set[str] = field(default_factory=set)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    memories: dict[str, MemoryBucket] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        return _Client(self, SERVICES[service](self))

    def store(self, bucket: str, prefix: str) -> MemoryStore:
        """Of the objects in a bucket, there or not. Its requests are calls, too."""
        return MemoryStore(
            self.clock,
            lambda operation, key: self.tell(operation, False),
            lambda operation, key: self.tell(operation, True),
            prefix=prefix,
            bucket=self.memory(bucket),
        )

    def memory(self, bucket: str) -> MemoryBucket:
        if bucket not in self.memories:
            self.memories[bucket] = MemoryBucket(bucket, is_missing=bucket not in self.buckets)
        return self.memories[bucket]

    def tell(self, operation: str, is_done: bool) -> None:
        if not is_done:
            self.calls.append(operation)
        if self.around is not None:
            self.around(operation, is_done)

    def number(self, letter: str) -> str:
        return f"{letter}{next(self.numbers):06d}"

    def add_zone(self, name: str, *, is_private: bool = False) -> Zone:
        zone = Zone(self.number("Z"), name, is_private)
        self.zones[zone.id] = zone
        return zone

    def everything(self) -> dict[str, list[str]]:
        """What stands in the account, by name."""
        return {
            "buckets": sorted(self.buckets),
            "distributions": sorted(self.distributions),
            "access controls": sorted(each.config["Name"] for each in self.access_controls.values()),
            "functions": sorted(self.functions),
            "headers policies": sorted(each.config["Name"] for each in self.headers_policies.values()),
            "certificates": sorted(",".join(each.domains) for each in self.certificates.values()),
            "records": sorted(f"{each['Name']} {each['Type']}" for zone in self.zones.values() for each in zone.records),
        }

    def paged(self, rows: list[Any], marker: str | None) -> tuple[list[Any], str | None]:
        start = int(marker or 0)
        end = start + self.page
        return copy.deepcopy(rows[start:end]), str(end) if end < len(rows) else None


class _Client:
    """Every method of a service, told of before and after."""

    def __init__(self, aws: FakeAws, service: Any) -> None:
        self._aws = aws
        self._service = service

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        method = getattr(self._service, operation)

        def call(**parameters: Any) -> Any:
            self._aws.tell(operation, False)
            if operation in self._aws.lacks:
                raise refusal("404", operation, "Not Found", 404)
            if operation in self._aws.denied:
                raise refusal("AccessDenied", operation)
            answer = method(**copy.deepcopy(parameters))
            self._aws.tell(operation, True)
            return answer if answer is not None else {}

        return call


class _S3:
    def __init__(self, aws: FakeAws) -> None:
        self.aws = aws

    def create_bucket(self, *, Bucket: str, CreateBucketConfiguration: Any = None, ObjectOwnership: str = "BucketOwnerEnforced") -> None:
        configuration = CreateBucketConfiguration or {}
        if Bucket in self.aws.foreign_buckets:
            raise refusal("BucketAlreadyExists", "CreateBucket")
        if Bucket in self.aws.buckets:
            raise refusal("BucketAlreadyOwnedByYou", "CreateBucket")
        memory = self.aws.memory(Bucket)
        memory.is_missing = False
        # what every new bucket has since 2023
        settings = {
            "public_access_block": dict.fromkeys(
                ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
            ),
            "ownership": {"Rules": [{"ObjectOwnership": ObjectOwnership}]},
            "encryption": {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]},
        }
        tags = configuration.get("Tags", [])
        self.aws.buckets[Bucket] = _Bucket(configuration.get("LocationConstraint", "us-east-1"), tags, settings, memory)

    def head_bucket(self, *, Bucket: str) -> Any:
        if Bucket in self.aws.foreign_buckets:
            raise refusal("403", "HeadBucket", status=403)
        if Bucket not in self.aws.buckets:
            raise refusal("404", "HeadBucket", status=404)
        return {"ResponseMetadata": {"HTTPHeaders": {"x-amz-bucket-region": self.aws.buckets[Bucket].region}}}

    def get_bucket_tagging(self, *, Bucket: str) -> Any:
        tags = self._find(Bucket).tags
        if not tags:
            raise refusal("NoSuchTagSet", "GetBucketTagging")
        return {"TagSet": copy.deepcopy(tags)}

    def put_bucket_tagging(self, *, Bucket: str, Tagging: Any) -> None:
        self._find(Bucket).tags = Tagging["TagSet"]

    def get_bucket_policy(self, *, Bucket: str) -> Any:
        return {"Policy": json.dumps(self._setting(Bucket, "policy", "NoSuchBucketPolicy"))}

    def put_bucket_policy(self, *, Bucket: str, Policy: str) -> None:
        policy = json.loads(Policy)
        if any(each["Effect"] == "Allow" and each["Principal"] == "*" and not each.get("Condition") for each in policy["Statement"]):
            raise refusal("AccessDenied", "PutBucketPolicy")
        self._find(Bucket).settings["policy"] = policy

    def delete_bucket_policy(self, *, Bucket: str) -> None:
        self._find(Bucket).settings.pop("policy", None)

    def get_public_access_block(self, *, Bucket: str) -> Any:
        found = self._setting(Bucket, "public_access_block", "NoSuchPublicAccessBlockConfiguration")
        return {"PublicAccessBlockConfiguration": found, "ResponseMetadata": {}}

    def put_public_access_block(self, *, Bucket: str, PublicAccessBlockConfiguration: Any) -> None:
        self._find(Bucket).settings["public_access_block"] = PublicAccessBlockConfiguration

    def get_bucket_ownership_controls(self, *, Bucket: str) -> Any:
        return {"OwnershipControls": self._setting(Bucket, "ownership", "OwnershipControlsNotFoundError")}

    def put_bucket_ownership_controls(self, *, Bucket: str, OwnershipControls: Any) -> None:
        self._find(Bucket).settings["ownership"] = OwnershipControls

    def get_bucket_encryption(self, *, Bucket: str) -> Any:
        return {"ServerSideEncryptionConfiguration": self._setting(Bucket, "encryption", "ServerSideEncryptionConfigurationNotFoundError")}

    def put_bucket_encryption(self, *, Bucket: str, ServerSideEncryptionConfiguration: Any) -> None:
        self._find(Bucket).settings["encryption"] = ServerSideEncryptionConfiguration

    def get_bucket_lifecycle_configuration(self, *, Bucket: str) -> Any:
        return self._setting(Bucket, "lifecycle", "NoSuchLifecycleConfiguration")

    def put_bucket_lifecycle_configuration(self, *, Bucket: str, LifecycleConfiguration: Any) -> None:
        self._find(Bucket).settings["lifecycle"] = LifecycleConfiguration

    def get_object_lock_configuration(self, *, Bucket: str) -> Any:
        return {"ObjectLockConfiguration": self._setting(Bucket, "lock", "ObjectLockConfigurationNotFoundError")}

    def list_object_versions(self, *, Bucket: str, Prefix: str = "", MaxKeys: int = 1000) -> Any:
        keys = sorted(key for key in self._find(Bucket).memory.objects if key.startswith(Prefix))
        return {"Versions": [{"Key": key, "VersionId": "null"} for key in keys[: min(MaxKeys, 1000)]], "IsTruncated": len(keys) > MaxKeys}

    def delete_objects(self, *, Bucket: str, Delete: Any) -> Any:
        bucket = self._find(Bucket)
        if len(Delete["Objects"]) > 1000:
            raise refusal("MalformedXML", "DeleteObjects")
        for each in Delete["Objects"]:
            bucket.memory.objects.pop(each["Key"], None)
        return {}

    def list_multipart_uploads(self, *, Bucket: str, Prefix: str = "") -> Any:
        self._find(Bucket)
        return {}

    def delete_bucket(self, *, Bucket: str) -> None:
        bucket = self._find(Bucket)
        if bucket.memory.objects:
            raise refusal("BucketNotEmpty", "DeleteBucket")
        bucket.memory.is_missing = True
        del self.aws.buckets[Bucket]

    def _find(self, name: str) -> Bucket:
        if name not in self.aws.buckets:
            raise refusal("NoSuchBucket", "S3")
        return self.aws.buckets[name]

    def _setting(self, bucket: str, name: str, code: str) -> Any:
        found = self._find(bucket).settings.get(name)
        if found is None:
            raise refusal(code, "S3")
        return copy.deepcopy(found)


_Bucket = Bucket  # the parameter of every method has its name


class _CloudFront:
    def __init__(self, aws: FakeAws) -> None:
        self.aws = aws

    # ---- access controls and headers policies

    def list_origin_access_controls(self, *, Marker: str | None = None) -> Any:
        rows, following = self.aws.paged([{"Id": each.id, **each.config} for each in self.aws.access_controls.values()], Marker)
        return {"OriginAccessControlList": _listed(rows, following)}

    def create_origin_access_control(self, *, OriginAccessControlConfig: Any) -> Any:
        kept = self.aws.access_controls
        if any(each.config["Name"] == OriginAccessControlConfig["Name"] for each in kept.values()):
            raise refusal("OriginAccessControlAlreadyExists", "CreateOriginAccessControl")
        if len(kept) >= ACCESS_CONTROLS:
            raise refusal("TooManyOriginAccessControls", "CreateOriginAccessControl")
        made = self._add(kept, OriginAccessControlConfig)
        return {"OriginAccessControl": {"Id": made.id, "OriginAccessControlConfig": made.config}, "ETag": made.etag}

    def get_origin_access_control(self, *, Id: str) -> Any:
        found = self._part(self.aws.access_controls, Id, "NoSuchOriginAccessControl")
        return {"OriginAccessControl": {"Id": found.id, "OriginAccessControlConfig": copy.deepcopy(found.config)}, "ETag": found.etag}

    def get_origin_access_control_config(self, *, Id: str) -> Any:
        found = self._part(self.aws.access_controls, Id, "NoSuchOriginAccessControl")
        return {"OriginAccessControlConfig": copy.deepcopy(found.config), "ETag": found.etag}

    def update_origin_access_control(self, *, Id: str, IfMatch: str, OriginAccessControlConfig: Any) -> None:
        found = self._part(self.aws.access_controls, Id, "NoSuchOriginAccessControl")
        self._match(found.etag, IfMatch)
        found.config, found.etag = OriginAccessControlConfig, self.aws.number("T")

    def delete_origin_access_control(self, *, Id: str, IfMatch: str) -> None:
        found = self._part(self.aws.access_controls, Id, "NoSuchOriginAccessControl")
        self._match(found.etag, IfMatch)
        if any(
            Id == origin.get("OriginAccessControlId")
            for each in self.aws.distributions.values()
            for origin in each.config["Origins"]["Items"]
        ):
            raise refusal("OriginAccessControlInUse", "DeleteOriginAccessControl")
        del self.aws.access_controls[Id]

    def list_response_headers_policies(self, *, Type: str = "custom", Marker: str | None = None) -> Any:
        kept = self.aws.headers_policies.values()
        rows = [{"Type": "custom", "ResponseHeadersPolicy": {"Id": each.id, "ResponseHeadersPolicyConfig": each.config}} for each in kept]
        found, following = self.aws.paged(rows, Marker)
        return {"ResponseHeadersPolicyList": _listed(found, following)}

    def create_response_headers_policy(self, *, ResponseHeadersPolicyConfig: Any) -> Any:
        kept = self.aws.headers_policies
        if any(each.config["Name"] == ResponseHeadersPolicyConfig["Name"] for each in kept.values()):
            raise refusal("ResponseHeadersPolicyAlreadyExists", "CreateResponseHeadersPolicy")
        _check_quantities(ResponseHeadersPolicyConfig)
        made = self._add(kept, ResponseHeadersPolicyConfig)
        return {"ResponseHeadersPolicy": {"Id": made.id, "ResponseHeadersPolicyConfig": made.config}, "ETag": made.etag}

    def get_response_headers_policy(self, *, Id: str) -> Any:
        found = self._part(self.aws.headers_policies, Id, "NoSuchResponseHeadersPolicy")
        return {"ResponseHeadersPolicy": {"Id": Id, "ResponseHeadersPolicyConfig": copy.deepcopy(found.config)}, "ETag": found.etag}

    def get_response_headers_policy_config(self, *, Id: str) -> Any:
        found = self._part(self.aws.headers_policies, Id, "NoSuchResponseHeadersPolicy")
        return {"ResponseHeadersPolicyConfig": copy.deepcopy(found.config), "ETag": found.etag}

    def update_response_headers_policy(self, *, Id: str, IfMatch: str, ResponseHeadersPolicyConfig: Any) -> None:
        found = self._part(self.aws.headers_policies, Id, "NoSuchResponseHeadersPolicy")
        self._match(found.etag, IfMatch)
        found.config, found.etag = ResponseHeadersPolicyConfig, self.aws.number("T")

    def delete_response_headers_policy(self, *, Id: str, IfMatch: str) -> None:
        found = self._part(self.aws.headers_policies, Id, "NoSuchResponseHeadersPolicy")
        self._match(found.etag, IfMatch)
        if any(each.config["DefaultCacheBehavior"].get("ResponseHeadersPolicyId") == Id for each in self.aws.distributions.values()):
            raise refusal("ResponseHeadersPolicyInUse", "DeleteResponseHeadersPolicy")
        del self.aws.headers_policies[Id]

    def list_cache_policies(self, *, Type: str = "managed", Marker: str | None = None) -> Any:
        names = [("Managed-CachingDisabled", "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"), ("x", "x"), (CACHE_POLICY, CACHE_POLICY_ID)]
        rows, following = self.aws.paged([{"CachePolicy": {"Id": id, "CachePolicyConfig": {"Name": name}}} for name, id in names], Marker)
        return {"CachePolicyList": _listed(rows, following)}

    # ---- functions

    def create_function(self, *, Name: str, FunctionConfig: Any, FunctionCode: bytes, Tags: Any = None) -> Any:
        if Name in self.aws.functions:
            raise refusal("FunctionAlreadyExists", "CreateFunction")
        self._check_function(Name, FunctionCode)
        self.aws.functions[Name] = Function(FunctionConfig, FunctionCode, self.aws.number("T"))
        return {"FunctionSummary": self._summary(Name, "DEVELOPMENT"), "ETag": self.aws.functions[Name].etag}

    def describe_function(self, *, Name: str, Stage: str = "DEVELOPMENT") -> Any:
        found = self._function(Name, Stage)
        return {"FunctionSummary": self._summary(Name, Stage), "ETag": found.etag}

    def get_function(self, *, Name: str, Stage: str = "DEVELOPMENT") -> Any:
        found = self._function(Name, Stage)
        return {"FunctionCode": found.live if Stage == "LIVE" else found.code, "ETag": found.etag}

    def update_function(self, *, Name: str, IfMatch: str, FunctionConfig: Any, FunctionCode: bytes) -> Any:
        found = self._function(Name, "DEVELOPMENT")
        self._match(found.etag, IfMatch)
        self._check_function(Name, FunctionCode)
        found.config, found.code, found.etag = FunctionConfig, FunctionCode, self.aws.number("T")
        return {"FunctionSummary": self._summary(Name, "DEVELOPMENT"), "ETag": found.etag}

    def publish_function(self, *, Name: str, IfMatch: str) -> Any:
        found = self._function(Name, "DEVELOPMENT")
        self._match(found.etag, IfMatch)
        found.live = found.code
        return {"FunctionSummary": self._summary(Name, "LIVE")}

    def delete_function(self, *, Name: str, IfMatch: str) -> None:
        found = self._function(Name, "DEVELOPMENT")
        self._match(found.etag, IfMatch)
        if any(self._function_arn(Name) in json.dumps(each.config) for each in self.aws.distributions.values()):
            raise refusal("FunctionInUse", "DeleteFunction")
        del self.aws.functions[Name]

    def _check_function(self, name: str, code: bytes) -> None:
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name):
            raise refusal("InvalidArgument", "CreateFunction", "bad name")
        if len(code) > FUNCTION_BYTES:
            raise refusal("FunctionSizeLimitExceeded", "CreateFunction")

    def _function(self, name: str, stage: str) -> Function:
        found = self.aws.functions.get(name)
        if found is None or (stage == "LIVE" and found.live is None):
            raise refusal("NoSuchFunctionExists", "DescribeFunction")
        return found

    def _function_arn(self, name: str) -> str:
        return f"arn:aws:cloudfront::{ACCOUNT}:function/{name}"

    def _summary(self, name: str, stage: str) -> Any:
        config = copy.deepcopy(self.aws.functions[name].config)
        return {"Name": name, "FunctionConfig": config, "FunctionMetadata": {"FunctionARN": self._function_arn(name), "Stage": stage}}

    # ---- distributions

    def create_distribution_with_tags(self, *, DistributionConfigWithTags: Any) -> Any:
        config, tags = DistributionConfigWithTags["DistributionConfig"], DistributionConfigWithTags["Tags"]["Items"]
        if config["CallerReference"] in self.aws.references:
            raise refusal("DistributionAlreadyExists", "CreateDistribution")
        self._check_config(config, "")
        if not all(TAGS.fullmatch(each["Value"]) for each in tags):
            raise refusal("InvalidTagging", "CreateDistribution")
        made = Distribution(self.aws.number("E"), _with_defaults(config), tags, self.aws.number("T"), self._deployed())
        self.aws.references.add(config["CallerReference"])
        self.aws.distributions[made.id] = made
        return {"Distribution": self._describe(made), "ETag": made.etag}

    def get_distribution(self, *, Id: str) -> Any:
        found = self._distribution(Id)
        return {"Distribution": self._describe(found), "ETag": found.etag}

    def get_distribution_config(self, *, Id: str) -> Any:
        found = self._distribution(Id)
        return {"DistributionConfig": copy.deepcopy(found.config), "ETag": found.etag}

    def list_distributions(self, *, Marker: str | None = None) -> Any:
        rows, following = self.aws.paged(
            [{"Id": each.id, "ARN": each.arn, **each.config} for each in self.aws.distributions.values()], Marker
        )
        return {"DistributionList": _listed(rows, following)}

    def list_tags_for_resource(self, *, Resource: str) -> Any:
        return {"Tags": {"Items": copy.deepcopy(self._distribution(Resource.rpartition("/")[2]).tags)}}

    def update_distribution(self, *, Id: str, IfMatch: str, DistributionConfig: Any) -> Any:
        found = self._distribution(Id)
        self._match(found.etag, IfMatch)
        if DistributionConfig["CallerReference"] != found.config["CallerReference"]:
            raise refusal("IllegalUpdate", "UpdateDistribution")
        self._check_config(DistributionConfig, Id)
        found.config, found.etag, found.deployed_at = _with_defaults(DistributionConfig), self.aws.number("T"), self._deployed()
        return {"Distribution": self._describe(found), "ETag": found.etag}

    def delete_distribution(self, *, Id: str, IfMatch: str) -> None:
        found = self._distribution(Id)
        self._match(found.etag, IfMatch)
        if found.arn in self.aws.planned:
            message = "You can't delete this distribution while it's subscribed to a pricing plan."
            raise refusal("PreconditionFailed", "DeleteDistribution", message)
        if found.config["Enabled"] or self._status(found) != "Deployed":
            raise refusal("DistributionNotDisabled", "DeleteDistribution")
        del self.aws.distributions[Id]

    def _deployed(self) -> datetime:
        return self.aws.clock.now() + timedelta(seconds=self.aws.seconds_to_deploy)

    def _status(self, found: Distribution) -> str:
        return "Deployed" if self.aws.clock.now() >= found.deployed_at else "InProgress"

    def _describe(self, found: Distribution) -> Any:
        config = copy.deepcopy(found.config)
        return {"Id": found.id, "ARN": found.arn, "DomainName": found.domain, "Status": self._status(found), "DistributionConfig": config}

    def _distribution(self, name: str) -> Distribution:
        if name not in self.aws.distributions:
            raise refusal("NoSuchDistribution", "GetDistribution")
        return self.aws.distributions[name]

    def _check_config(self, config: Any, own: str) -> None:
        _check_quantities(config)
        origins = {each["Id"]: each for each in config["Origins"]["Items"]}
        behavior = config["DefaultCacheBehavior"]
        if behavior["TargetOriginId"] not in origins:
            raise refusal("NoSuchOrigin", "CreateDistribution")
        if any(each.get("OriginAccessControlId", "") not in ("", *self.aws.access_controls) for each in origins.values()):
            raise refusal("InvalidOriginAccessControl", "CreateDistribution")
        if behavior.get("ResponseHeadersPolicyId") not in (None, "", *self.aws.headers_policies):
            raise refusal("NoSuchResponseHeadersPolicy", "CreateDistribution")
        if behavior.get("CachePolicyId") not in (None, "", CACHE_POLICY_ID):
            raise refusal("NoSuchCachePolicy", "CreateDistribution")
        for each in (behavior.get("FunctionAssociations") or {}).get("Items") or ():
            function = self.aws.functions.get(each["FunctionARN"].rpartition("/")[2])
            if function is None or function.live is None:
                raise refusal("InvalidFunctionAssociation", "CreateDistribution")
        self._check_names(config, own)

    def _check_names(self, config: Any, own: str) -> None:
        names = (config.get("Aliases") or {}).get("Items") or []
        viewer = config.get("ViewerCertificate") or {"CloudFrontDefaultCertificate": True}
        if bool(viewer.get("CloudFrontDefaultCertificate")) == bool(viewer.get("ACMCertificateArn")):
            raise refusal("InvalidViewerCertificate", "CreateDistribution")
        taken = {name for each in self.aws.distributions.values() if each.id != own for name in each.names}
        if set(names) & taken:
            raise refusal("CNAMEAlreadyExists", "CreateDistribution")
        if names:
            certificate = self.aws.certificates.get(config["ViewerCertificate"].get("ACMCertificateArn", ""))
            issued = certificate is not None and _Acm(self.aws).settle(certificate) == "ISSUED"
            if certificate is None or not issued or not all(covers(certificate.domains, name) for name in names):
                raise refusal("InvalidViewerCertificate", "CreateDistribution")

    # ---- within

    def _add(self, kept: dict[str, Part], config: dict[str, Any]) -> Part:
        made = Part(self.aws.number("P"), config, self.aws.number("T"))
        kept[made.id] = made
        return made

    def _part(self, kept: dict[str, Part], name: str, code: str) -> Part:
        if name not in kept:
            raise refusal(code, "Get")
        return kept[name]

    def _match(self, etag: str, wanted: str) -> None:
        if etag != wanted:
            raise refusal("PreconditionFailed", "Update")


def _listed(rows: list[Any], following: str | None) -> Any:
    """CloudFront leaves `Items` out where there are none."""
    listed: dict[str, Any] = {"Quantity": len(rows), "IsTruncated": following is not None}
    return {**listed, **({"Items": rows} if rows else {}), **({"NextMarker": following} if following else {})}


def _check_quantities(value: Any) -> None:
    if isinstance(value, list):
        for each in value:
            _check_quantities(each)
    elif isinstance(value, dict):
        if "Quantity" in value and value["Quantity"] != len(value.get("Items") or ()):
            raise refusal("InconsistentQuantities", "Create")
        for each in value.values():
            _check_quantities(each)


def _with_defaults(config: Any) -> Any:
    """Fields that CloudFront answers with though nobody sent them."""
    kept = copy.deepcopy(config)
    kept.setdefault("WebACLId", "")
    kept["Logging"] = {"Enabled": False, "IncludeCookies": False, "Bucket": "", "Prefix": ""}
    for origin in kept["Origins"]["Items"]:
        origin.setdefault("ConnectionAttempts", 3)
        origin.setdefault("CustomHeaders", {"Quantity": 0})
        origin.setdefault("OriginAccessControlId", "")
    return kept


class _Acm:
    def __init__(self, aws: FakeAws) -> None:
        self.aws = aws

    def request_certificate(
        self, *, DomainName: str, SubjectAlternativeNames: list[str], ValidationMethod: str, IdempotencyToken: str, Tags: Any
    ) -> Any:
        if len(DomainName) > 64 or not re.fullmatch(r"\w{1,32}", IdempotencyToken):
            raise refusal("ValidationException", "RequestCertificate")
        now = self.aws.clock.now()
        for each in self.aws.certificates.values():
            if each.token == IdempotencyToken and now - each.asked_at < timedelta(hours=1):
                return {"CertificateArn": each.arn}
        arn = f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/{self.aws.number('c')}"
        self.aws.certificates[arn] = Certificate(
            arn, list(dict.fromkeys([DomainName, *SubjectAlternativeNames])), Tags, now, IdempotencyToken
        )
        return {"CertificateArn": arn}

    def describe_certificate(self, *, CertificateArn: str) -> Any:
        found = self._find(CertificateArn)
        status = self.settle(found)
        has_records = self.aws.clock.now() >= found.asked_at + timedelta(seconds=self.aws.seconds_to_record)
        options = []
        for domain in found.domains:
            name, value = self._proof(domain)
            record = {"ResourceRecord": {"Name": f"{name}.", "Type": "CNAME", "Value": f"{value}."}} if has_records else {}
            options.append({"DomainName": domain, "ValidationMethod": "DNS", **record})
        certificate = {
            "CertificateArn": found.arn,
            "DomainName": found.domains[0],
            "SubjectAlternativeNames": found.domains,
            "Status": status,
        }
        return {"Certificate": {**certificate, "DomainValidationOptions": options}}

    def list_certificates(self, *, Includes: Any = None, NextToken: str | None = None) -> Any:
        types = (Includes or {}).get("keyTypes", ["RSA_2048"])
        kept = [each for each in self.aws.certificates.values() if each.key in types]
        rows, following = self.aws.paged(
            [{"CertificateArn": each.arn, "DomainName": each.domains[0], "SubjectAlternativeNameSummaries": each.domains} for each in kept],
            NextToken,
        )
        return {"CertificateSummaryList": rows, **({"NextToken": following} if following else {})}

    def list_tags_for_certificate(self, *, CertificateArn: str) -> Any:
        return {"Tags": copy.deepcopy(self._find(CertificateArn).tags)}

    def add_tags_to_certificate(self, *, CertificateArn: str, Tags: Any) -> None:
        self._find(CertificateArn).tags.extend(Tags)

    def delete_certificate(self, *, CertificateArn: str) -> None:
        self._find(CertificateArn)
        if any(CertificateArn in json.dumps(each.config) for each in self.aws.distributions.values()):
            raise refusal("ResourceInUseException", "DeleteCertificate")
        del self.aws.certificates[CertificateArn]

    def settle(self, certificate: Certificate) -> str:
        """Issued some time after all its CNAMEs stand in public zones; timed out after 72 hours without."""
        now = self.aws.clock.now()
        if certificate.status:
            return certificate.status
        standing = {
            (each["Name"].rstrip("."), each["ResourceRecords"][0]["Value"].rstrip("."))
            for zone in self.aws.zones.values()
            if not zone.is_private
            for each in zone.records
            if each["Type"] == "CNAME"
        }
        if certificate.proved_at is None and all(self._proof(domain) in standing for domain in certificate.domains):
            certificate.proved_at = now
        if certificate.proved_at is not None and now >= certificate.proved_at + timedelta(seconds=self.aws.seconds_to_issue):
            certificate.status = "ISSUED"
        elif certificate.proved_at is None and now >= certificate.asked_at + timedelta(hours=72):
            certificate.status = "VALIDATION_TIMED_OUT"
        return certificate.status or "PENDING_VALIDATION"

    def _proof(self, domain: str) -> tuple[str, str]:
        """The same for every certificate of the account."""
        bare = domain.removeprefix("*.")
        return f"_proof.{bare}", f"_{abs(hash(bare)) % 10**9}.acm-validations.aws"

    def _find(self, arn: str) -> Certificate:
        if arn not in self.aws.certificates:
            raise refusal("ResourceNotFoundException", "DescribeCertificate")
        return self.aws.certificates[arn]


class _Route53:
    def __init__(self, aws: FakeAws) -> None:
        self.aws = aws

    def list_hosted_zones(self, *, Marker: str | None = None) -> Any:
        rows = [
            {"Id": f"/hostedzone/{each.id}", "Name": f"{each.name}.", "Config": {"PrivateZone": each.is_private}}
            for each in self.aws.zones.values()
        ]
        found, following = self.aws.paged(rows, Marker)
        return {"HostedZones": found, "IsTruncated": following is not None, **({"NextMarker": following} if following else {})}

    def list_resource_record_sets(self, *, HostedZoneId: str, StartRecordName: str, MaxItems: str) -> Any:
        """From the name on, in the order of reversed labels; the name itself comes first."""
        records = sorted(self._zone(HostedZoneId).records, key=lambda each: (_reversed(each["Name"]), each["Type"]))
        start = _reversed(StartRecordName)
        rows = [each for each in records if _reversed(each["Name"]) >= start]
        answered = [{**copy.deepcopy(each), "Name": each["Name"].rstrip(".").replace("*", "\\052") + "."} for each in rows[: int(MaxItems)]]
        return {"ResourceRecordSets": answered, "IsTruncated": len(rows) > int(MaxItems)}

    def change_resource_record_sets(self, *, HostedZoneId: str, ChangeBatch: Any) -> Any:
        """All or nothing."""
        zone = self._zone(HostedZoneId)
        wanted = copy.deepcopy(zone.records)
        for change in ChangeBatch["Changes"]:
            self._apply(zone, wanted, change["Action"], change["ResourceRecordSet"])
        zone.records = wanted
        for certificate in self.aws.certificates.values():
            _Acm(self.aws).settle(certificate)
        return {"ChangeInfo": {"Id": self.aws.number("C"), "Status": "PENDING"}}

    def _apply(self, zone: Zone, records: list[Any], action: str, record: Any) -> None:
        record = {**record, "Name": record["Name"].replace("\\052", "*").rstrip(".").lower()}
        name = record["Name"]
        if name != zone.name and not name.endswith(f".{zone.name}"):
            raise refusal("InvalidChangeBatch", "ChangeResourceRecordSets", f"{name} is not in the zone")
        alias = record.get("AliasTarget")
        if alias and (alias["HostedZoneId"] != CLOUDFRONT_ZONE or alias["EvaluateTargetHealth"]):
            raise refusal("InvalidChangeBatch", "ChangeResourceRecordSets", "no such alias target")
        same = [each for each in records if each["Name"] == name]
        if action == "DELETE":
            if record not in same:
                raise refusal("InvalidChangeBatch", "ChangeResourceRecordSets", "it was not found, or its values differ")
            records.remove(record)
            return
        if any(each["Type"] in (record["Type"], "CNAME") or record["Type"] == "CNAME" for each in same):
            raise refusal("InvalidChangeBatch", "ChangeResourceRecordSets", "but it already exists")
        records.append(record)

    def _zone(self, name: str) -> Zone:
        if name not in self.aws.zones:
            raise refusal("NoSuchHostedZone", "Route53")
        return self.aws.zones[name]


class _Plans:
    def __init__(self, aws: FakeAws) -> None:
        self.aws = aws

    def list_subscriptions(self) -> Any:
        return {"subscriptionSummaries": [{"resourceArns": [arn], "status": "ACTIVE"} for arn in self.aws.planned]}


def _reversed(name: str) -> list[str]:
    return name.rstrip(".").split(".")[::-1]


SERVICES: dict[str, Any] = {"s3": _S3, "cloudfront": _CloudFront, "acm": _Acm, "route53": _Route53, "pricing-plan-manager": _Plans}
