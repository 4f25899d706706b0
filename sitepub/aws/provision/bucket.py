"""The bucket: private, encrypted, tidied by lifecycle rules. One that was there before is left as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sitepub.aws.provision.api import Api, Lacking, Refused
from sitepub.core.provision.blueprint import TAG, Blueprint
from sitepub.core.provision.configs import find_differences
from sitepub.core.provision.found import FoundBucket
from sitepub.errors import ConfigurationError, StoppedError

BLOCKED = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True}
OWNERSHIP = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
ENCRYPTION = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}

LIFECYCLE: tuple[dict[str, Any], ...] = (
    {
        "ID": "sitepub-aborted-uploads",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    },
    {
        "ID": "sitepub-old-versions",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
        "Expiration": {"ExpiredObjectDeleteMarker": True},
    },
)
"""Uploads in parts that nobody finished cost as much as objects; versions are kept only where somebody turns them on."""

_SETTINGS: tuple[tuple[str, str, str], ...] = (
    ("public_access_block", "NoSuchPublicAccessBlockConfiguration", "public access is not blocked"),
    ("bucket_ownership_controls", "OwnershipControlsNotFoundError", "ACLs are not disabled"),
    ("bucket_encryption", "ServerSideEncryptionConfigurationNotFoundError", "no default encryption"),
    ("bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration", "no lifecycle rules"),
)
_CONFLICT = ("OperationAborted", "ConditionalRequestConflict")
_BATCH = 1000


def find_bucket(api: Api, blueprint: Blueprint) -> FoundBucket | None:
    """Raises ConfigurationError where it is somebody else's, or elsewhere."""
    try:
        answer = api.ask("s3", "head_bucket", Bucket=blueprint.bucket, expected=("", "NoSuchBucket", "AccessDenied", "PermanentRedirect"))
    except Lacking:
        return None
    except Refused as refusal:
        return _explain_head(api, blueprint, refusal)
    _check_region(blueprint, answer["ResponseMetadata"].get("HTTPHeaders", {}).get("x-amz-bucket-region"))
    policy = _read_policy(api, blueprint)
    is_ours = _is_tagged(api, blueprint) or (not api.is_aws and policy is None and _is_untouched(api, blueprint))
    return FoundBucket(is_ours, policy, tuple(_find_wrong(api, blueprint)) if is_ours else ())


def ensure_bucket(api: Api, blueprint: Blueprint, found: FoundBucket | None) -> tuple[str, ...]:
    """Settings that the server does not know, in words. The tag comes with the bucket itself, so that it is known for ours from the start."""
    if found is None:
        _create(api, blueprint)
    elif not found.is_ours:
        return ()
    if not _is_tagged(api, blueprint):
        _tag(api, blueprint)
    return tuple(_settle(api, blueprint))


def write_policy(api: Api, blueprint: Blueprint, policy: Mapping[str, Any] | None) -> None:
    if policy is None:
        api.ask("s3", "delete_bucket_policy", Bucket=blueprint.bucket, passing=_CONFLICT)
    else:
        api.ask("s3", "put_bucket_policy", Bucket=blueprint.bucket, Policy=json.dumps(policy), passing=_CONFLICT)


def list_versions(api: Api, bucket: str, prefix: str = "", *, most: int = _BATCH) -> tuple[dict[str, str], ...]:
    """Some of the keys that stand there with their versions and delete markers, as DeleteObjects takes them."""
    answer = api.ask("s3", "list_object_versions", Bucket=bucket, Prefix=prefix, MaxKeys=most)
    rows = [*(answer.get("Versions") or ()), *(answer.get("DeleteMarkers") or ())]
    return tuple({"Key": each["Key"], "VersionId": each["VersionId"]} for each in rows)


def empty_bucket(api: Api, bucket: str, prefix: str = "") -> Iterator[int]:
    """Deletes every version of every key below `prefix` and gives up unfinished uploads; yields how many went, batch by batch."""
    for upload in api.ask("s3", "list_multipart_uploads", Bucket=bucket, Prefix=prefix).get("Uploads") or ():
        try:
            api.ask(
                "s3", "abort_multipart_upload", Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"], expected=("NoSuchUpload",)
            )
        except Refused:
            continue
    while batch := list_versions(api, bucket, prefix):
        answer = api.ask("s3", "delete_objects", Bucket=bucket, Delete={"Objects": list(batch), "Quiet": True})
        errors = answer.get("Errors") or []
        if errors:
            first = errors[0]
            message = f"{len(errors)} keys of `s3://{bucket}` can't be deleted, such as `{first['Key']}` ({first.get('Code')})"
            raise StoppedError("not-deleted", message, "look at the bucket's Object Lock and policy, then run it again")
        yield len(batch)


def delete_bucket(api: Api, bucket: str) -> None:
    try:
        api.ask("s3", "delete_bucket", Bucket=bucket, expected=("NoSuchBucket",), passing=_CONFLICT)
    except Refused:
        return


def has_object_lock(api: Api, bucket: str) -> bool:
    try:
        answer = api.ask(
            "s3",
            "get_object_lock_configuration",
            Bucket=bucket,
            expected=("ObjectLockConfigurationNotFoundError", "NoSuchObjectLockConfiguration"),
        )
    except (Refused, Lacking):
        return False
    return bool((answer.get("ObjectLockConfiguration") or {}).get("ObjectLockEnabled"))


def _create(api: Api, blueprint: Blueprint) -> None:
    configuration: dict[str, Any] = {}
    if api.is_aws:
        configuration["Tags"] = [{"Key": TAG, "Value": blueprint.name}]
    if blueprint.region != "us-east-1" and not blueprint.is_compatible:
        configuration["LocationConstraint"] = blueprint.region
    more: dict[str, Any] = {"CreateBucketConfiguration": configuration} if configuration else {}
    if not blueprint.is_compatible:
        more["ObjectOwnership"] = "BucketOwnerEnforced"
    try:
        api.ask(
            "s3",
            "create_bucket",
            Bucket=blueprint.bucket,
            expected=("BucketAlreadyOwnedByYou", "BucketAlreadyExists"),
            passing=_CONFLICT,
            **more,
        )
    except Refused as refusal:
        if refusal.code == "BucketAlreadyExists":
            raise _foreign(blueprint) from refusal
        # our own second attempt, the answer to the first was lost


def _settle(api: Api, blueprint: Blueprint) -> Iterator[str]:
    name: dict[str, Any] = {"Bucket": blueprint.bucket, "passing": _CONFLICT}
    for setting, none, words in _SETTINGS:
        wanted = _wanted(setting)
        try:
            standing = _read(api, blueprint, setting, none)
            if not _is_wrong(setting, standing):
                continue
            if setting == "public_access_block":
                api.ask("s3", "put_public_access_block", PublicAccessBlockConfiguration=wanted, **name)
            elif setting == "bucket_ownership_controls":
                api.ask("s3", "put_bucket_ownership_controls", OwnershipControls=wanted, **name)
            elif setting == "bucket_encryption":
                api.ask("s3", "put_bucket_encryption", ServerSideEncryptionConfiguration=wanted, **name)
            else:
                api.ask("s3", "put_bucket_lifecycle_configuration", LifecycleConfiguration={"Rules": _merge_rules(standing)}, **name)
        except Lacking:
            yield words


def _find_wrong(api: Api, blueprint: Blueprint) -> Iterator[str]:
    for setting, none, words in _SETTINGS:
        try:
            if _is_wrong(setting, _read(api, blueprint, setting, none)):
                yield words
        except Lacking:
            continue


def _read(api: Api, blueprint: Blueprint, setting: str, none: str) -> Mapping[str, Any]:
    try:
        answer = api.ask("s3", f"get_{setting}", Bucket=blueprint.bucket, expected=(none,))
    except Refused:
        return {}
    if setting == "bucket_lifecycle_configuration":
        return {"Rules": answer.get("Rules", [])}
    found: Mapping[str, Any] = next(value for key, value in answer.items() if key != "ResponseMetadata")
    return found


def _wanted(setting: str) -> Mapping[str, Any]:
    wanted: Mapping[str, Mapping[str, Any]] = {
        "public_access_block": BLOCKED,
        "bucket_ownership_controls": OWNERSHIP,
        "bucket_encryption": ENCRYPTION,
    }
    return wanted.get(setting, {})


def _is_wrong(setting: str, standing: Mapping[str, Any]) -> bool:
    if setting == "bucket_lifecycle_configuration":
        rules = {each.get("ID"): each for each in standing.get("Rules", ())}
        return any(find_differences(rules.get(each["ID"], {}), each) for each in LIFECYCLE)
    if setting == "bucket_encryption":
        # whoever chose keys of KMS keeps them
        return not standing.get("Rules")
    if setting == "bucket_ownership_controls":
        return bool([each["ObjectOwnership"] for each in standing.get("Rules", ())] != ["BucketOwnerEnforced"])
    return bool(find_differences(standing, _wanted(setting)))


def _merge_rules(standing: Mapping[str, Any]) -> list[Any]:
    own = {each["ID"] for each in LIFECYCLE}
    return [*(each for each in standing.get("Rules", ()) if each.get("ID") not in own), *LIFECYCLE]


def _is_tagged(api: Api, blueprint: Blueprint) -> bool:
    return {"Key": TAG, "Value": blueprint.name} in _read_tags(api, blueprint)


def _tag(api: Api, blueprint: Blueprint) -> None:
    """Others' tags stay."""
    kept = [each for each in _read_tags(api, blueprint) if each["Key"] != TAG]
    tags = {"TagSet": [*kept, {"Key": TAG, "Value": blueprint.name}]}
    try:
        api.ask("s3", "put_bucket_tagging", Bucket=blueprint.bucket, Tagging=tags, passing=_CONFLICT)
    except Lacking:
        return


def _read_tags(api: Api, blueprint: Blueprint) -> list[dict[str, str]]:
    try:
        return list(api.ask("s3", "get_bucket_tagging", Bucket=blueprint.bucket, expected=("NoSuchTagSet",)).get("TagSet", ()))
    except (Refused, Lacking):
        return []


def _read_policy(api: Api, blueprint: Blueprint) -> Mapping[str, Any] | None:
    try:
        text = api.ask("s3", "get_bucket_policy", Bucket=blueprint.bucket, expected=("NoSuchBucketPolicy",))["Policy"]
    except (Refused, Lacking):
        return None
    policy: Mapping[str, Any] = json.loads(text)
    return policy


def _is_untouched(api: Api, blueprint: Blueprint) -> bool:
    """An empty bucket of an emulator, which takes no tags with a new one: a run may have stopped in between."""
    return not _read_tags(api, blueprint) and not list_versions(api, blueprint.bucket, most=1)


def _explain_head(api: Api, blueprint: Blueprint, refusal: Refused) -> FoundBucket | None:
    if refusal.code in ("", "NoSuchBucket") and refusal.status == 404:
        return None
    if refusal.status == 403:
        raise _foreign(blueprint) from refusal
    if refusal.status in (301, 307) or refusal.region:
        raise _elsewhere(blueprint, refusal.region) from refusal
    # a HEAD does not say why
    message = f"the server does not show the bucket `{blueprint.bucket}` ({refusal.status})"
    raise StoppedError("bucket-not-shown", message, "look at the credentials and at the server's address, then run it again") from refusal


def _check_region(blueprint: Blueprint, region: str | None) -> None:
    if region and region != blueprint.region and not blueprint.is_compatible:
        raise _elsewhere(blueprint, region)


def _elsewhere(blueprint: Blueprint, region: str) -> ConfigurationError:
    where = f"in `{region}`, " if region else ""
    return ConfigurationError(
        "wrong-region",
        f"the bucket `{blueprint.bucket}` is {where}not in `{blueprint.region}`",
        f"set `region: {region or '…'}` in the target",
    )


def _foreign(blueprint: Blueprint) -> ConfigurationError:
    hint = "choose another name in `store:`, names of buckets are taken all over AWS; or use credentials that may see it"
    return ConfigurationError(
        "bucket-taken", f"the bucket `{blueprint.bucket}` is somebody else's, or these credentials may not see it", hint
    )
