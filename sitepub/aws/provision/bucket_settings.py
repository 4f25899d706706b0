"""How a bucket of ours is set: private, without ACLs, encrypted, tidied by lifecycle rules. New ones at AWS are so already; others' servers differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from sitepub.aws.provision.api import Api, Lacking, Refused
from sitepub.core.provision.configs import find_differences

CONFLICT = ("OperationAborted", "ConditionalRequestConflict")
"""S3 is at work on the bucket already; botocore does not try these again."""

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

Standing = Mapping[str, Any]


class _Setting(Struct, frozen=True):
    """`call`: what stands behind `get_` and `put_`; `parameter`: what `put_` takes, and `get_` answers with; `none`: the code for there is none;
    `words`: what is wrong, for people; `is_wrong` and `make`: from what stands, empty where there is none."""

    call: str
    parameter: str
    none: str
    words: str
    is_wrong: Callable[[Standing], bool]
    make: Callable[[Standing], Standing]


def find_wrong(api: Api, bucket: str) -> Iterator[str]:
    """What is not as it should be, in words. What the server knows no setting for is passed over."""
    for setting in SETTINGS:
        try:
            if setting.is_wrong(_read(api, bucket, setting)):
                yield setting.words
        except Lacking:
            continue


def settle(api: Api, bucket: str) -> Iterator[str]:
    """Sets what is not as it should be; yields, in words, what the server knows no setting for."""
    for setting in SETTINGS:
        try:
            standing = _read(api, bucket, setting)
            if setting.is_wrong(standing):
                wanted: dict[str, Any] = {setting.parameter: setting.make(standing)}
                api.ask("s3", f"put_{setting.call}", Bucket=bucket, passing=CONFLICT, **wanted)
        except Lacking:
            yield setting.words


def _read(api: Api, bucket: str, setting: _Setting) -> Standing:
    """As it stands; empty where there is none."""
    try:
        answer = api.ask("s3", f"get_{setting.call}", Bucket=bucket, expected=(setting.none,))
    except Refused:
        return {}
    if setting is LIFECYCLE_SETTING:
        return {"Rules": answer.get("Rules", [])}
    standing: Standing = answer[setting.parameter]
    return standing


def _has_acls(standing: Standing) -> bool:
    return [each["ObjectOwnership"] for each in standing.get("Rules", ())] != ["BucketOwnerEnforced"]


def _is_unencrypted(standing: Standing) -> bool:
    """Whoever chose keys of KMS keeps them."""
    return not standing.get("Rules")


def _lacks_rules(standing: Standing) -> bool:
    rules = {each.get("ID"): each for each in standing.get("Rules", ())}
    return any(find_differences(rules.get(each["ID"], {}), each) for each in LIFECYCLE)


def _merge_rules(standing: Standing) -> Standing:
    """Rules of others stay."""
    own = {each["ID"] for each in LIFECYCLE}
    return {"Rules": [*(each for each in standing.get("Rules", ()) if each.get("ID") not in own), *LIFECYCLE]}


LIFECYCLE_SETTING = _Setting(
    "bucket_lifecycle_configuration",
    "LifecycleConfiguration",
    "NoSuchLifecycleConfiguration",
    "no lifecycle rules",
    _lacks_rules,
    _merge_rules,
)

SETTINGS = (
    _Setting(
        "public_access_block",
        "PublicAccessBlockConfiguration",
        "NoSuchPublicAccessBlockConfiguration",
        "public access is not blocked",
        lambda standing: bool(find_differences(standing, BLOCKED)),
        lambda _: BLOCKED,
    ),
    _Setting(
        "bucket_ownership_controls",
        "OwnershipControls",
        "OwnershipControlsNotFoundError",
        "ACLs are not disabled",
        _has_acls,
        lambda _: OWNERSHIP,
    ),
    _Setting(
        "bucket_encryption",
        "ServerSideEncryptionConfiguration",
        "ServerSideEncryptionConfigurationNotFoundError",
        "no default encryption",
        _is_unencrypted,
        lambda _: ENCRYPTION,
    ),
    LIFECYCLE_SETTING,
)
