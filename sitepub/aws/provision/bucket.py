"""The bucket: found, made, given a policy, emptied, deleted. One that was there before is left as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from sitepub.aws.provision.api import Api, Lacking, Refused
from sitepub.aws.provision.bucket_settings import CONFLICT, find_wrong, settle
from sitepub.core.provision.blueprint import TAG, Blueprint
from sitepub.core.provision.found import FoundBucket
from sitepub.errors import ConfigurationError, StoppedError

_BATCH = 1000
"""Keys that one DeleteObjects takes."""


def find_bucket(api: Api, blueprint: Blueprint) -> FoundBucket | None:
    """None where there is none. Raises ConfigurationError `bucket-taken` where it is somebody else's and `wrong-region` where it is elsewhere,
    StoppedError `bucket-not-shown` where the server does not say."""
    try:
        answer = api.ask("s3", "head_bucket", Bucket=blueprint.bucket, expected=("", "NoSuchBucket", "AccessDenied", "PermanentRedirect"))
    except Lacking:
        return None
    except Refused as refusal:
        _explain_head(blueprint, refusal)
        return None
    _check_region(blueprint, answer["ResponseMetadata"].get("HTTPHeaders", {}).get("x-amz-bucket-region"))
    policy = _read_policy(api, blueprint)
    is_ours = _is_tagged(api, blueprint) or (not api.is_aws and policy is None and _is_untouched(api, blueprint))
    return FoundBucket(is_ours, policy, tuple(find_wrong(api, blueprint.bucket)) if is_ours else ())


def ensure_bucket(api: Api, blueprint: Blueprint, found: FoundBucket | None) -> tuple[str, ...]:
    """Settings that the server does not know, in words. The tag comes with the bucket itself, so that it is known for ours from the start."""
    if found is None:
        _create(api, blueprint)
    elif not found.is_ours:
        return ()
    if not _is_tagged(api, blueprint):
        _tag(api, blueprint)
    return tuple(settle(api, blueprint.bucket))


def write_policy(api: Api, blueprint: Blueprint, policy: Mapping[str, Any] | None) -> None:
    """All of it, in the place of the one that stands; None takes that away."""
    if policy is None:
        api.ask("s3", "delete_bucket_policy", Bucket=blueprint.bucket, passing=CONFLICT)
    else:
        api.ask("s3", "put_bucket_policy", Bucket=blueprint.bucket, Policy=json.dumps(policy), passing=CONFLICT)


def list_versions(api: Api, bucket: str, prefix: str = "", *, most: int = _BATCH) -> tuple[dict[str, str], ...]:
    """Some of the keys that stand there with their versions and delete markers, as DeleteObjects takes them."""
    answer = api.ask("s3", "list_object_versions", Bucket=bucket, Prefix=prefix, MaxKeys=most)
    rows = [*(answer.get("Versions") or ()), *(answer.get("DeleteMarkers") or ())]
    return tuple({"Key": each["Key"], "VersionId": each["VersionId"]} for each in rows)


def empty_bucket(api: Api, bucket: str, prefix: str = "") -> Iterator[int]:
    """Deletes every version of every key below `prefix` and gives up unfinished uploads; yields how many went, batch by batch. Raises StoppedError
    `not-deleted` where something may not be deleted."""
    for upload in _list_uploads(api, bucket, prefix):
        with suppress(Refused):
            api.ask(
                "s3", "abort_multipart_upload", Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"], expected=("NoSuchUpload",)
            )
    while batch := list_versions(api, bucket, prefix):
        answer = api.ask("s3", "delete_objects", Bucket=bucket, Delete={"Objects": list(batch), "Quiet": True})
        errors = answer.get("Errors") or []
        if errors:
            first = errors[0]
            message = f"{len(errors)} keys of `s3://{bucket}` can't be deleted, such as `{first['Key']}` ({first.get('Code')})"
            raise StoppedError("not-deleted", message, "look at the bucket's Object Lock and policy, then run it again")
        yield len(batch)


def _list_uploads(api: Api, bucket: str, prefix: str) -> Iterator[Mapping[str, str]]:
    """All that were begun and neither finished nor given up, page by page: two markers lead to the next one."""
    markers: dict[str, Any] = {}
    while True:
        page = api.ask("s3", "list_multipart_uploads", Bucket=bucket, Prefix=prefix, **markers)
        yield from page.get("Uploads") or ()
        if not page.get("IsTruncated"):
            return
        markers = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}


def delete_bucket(api: Api, bucket: str) -> None:
    """An empty one. One that is gone is passed over."""
    with suppress(Refused):
        api.ask("s3", "delete_bucket", Bucket=bucket, expected=("NoSuchBucket",), passing=CONFLICT)


def has_object_lock(api: Api, bucket: str) -> bool:
    """Whether versions may be kept from being deleted."""
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
    """Raises ConfigurationError `bucket-taken` where the name is somebody else's."""
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
            passing=CONFLICT,
            **more,
        )
    except Refused as refusal:
        if refusal.code == "BucketAlreadyExists":
            raise _foreign(blueprint) from refusal
        # our own second attempt, the answer to the first was lost


def _is_tagged(api: Api, blueprint: Blueprint) -> bool:
    return {"Key": TAG, "Value": blueprint.name} in _read_tags(api, blueprint)


def _tag(api: Api, blueprint: Blueprint) -> None:
    """Others' tags stay."""
    kept = [each for each in _read_tags(api, blueprint) if each["Key"] != TAG]
    tags = {"TagSet": [*kept, {"Key": TAG, "Value": blueprint.name}]}
    try:
        api.ask("s3", "put_bucket_tagging", Bucket=blueprint.bucket, Tagging=tags, passing=CONFLICT)
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


def _explain_head(blueprint: Blueprint, refusal: Refused) -> None:
    """Nothing is said where there is no such bucket."""
    if refusal.code in ("", "NoSuchBucket") and refusal.status == 404:
        return
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
