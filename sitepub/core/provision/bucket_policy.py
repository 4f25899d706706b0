"""The bucket's policy: read by exactly one distribution, sitepub's records by nobody, over TLS alone. Statements of others stay as they are. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sitepub.core.policy import VERSION
from sitepub.core.provision.blueprint import Blueprint

Policy = Mapping[str, Any]

TLS_SID = "SitepubTls"
RECORDS_SID = "SitepubRecords"


def make_policy(blueprint: Blueprint, standing: Policy | None, distribution_arn: str | None, *, is_ours: bool) -> Policy:
    """`standing` with our statements in it. TLS is demanded only of a bucket that is ours: others may have readers that we know nothing of."""
    replaced = (RECORDS_SID, blueprint.sid, TLS_SID) if is_ours else (RECORDS_SID, blueprint.sid)
    kept = [each for each in _statements(standing) if each.get("Sid") not in replaced]
    own: list[Policy] = [_deny_records(blueprint)]
    if is_ours and not blueprint.takes_plain_http:
        own.append(_deny_plain_http(blueprint))
    if distribution_arn is not None:
        own.append(_allow_distribution(blueprint, distribution_arn))
    return {**(standing or {}), "Version": VERSION, "Statement": [*kept, *own]}


def take_out(blueprint: Blueprint, standing: Policy | None) -> Policy | None:
    """What is left of a policy without the distribution; None where that is nothing. Records stay hidden while others may read the bucket."""
    kept = [each for each in _statements(standing) if each.get("Sid") != blueprint.sid]
    return {**(standing or {}), "Statement": kept} if kept else None


def find_others(blueprint: Blueprint, standing: Policy | None) -> tuple[str, ...]:
    """Statements that somebody else wrote, and those of other targets, by name."""
    return tuple(_name(each) for each in _statements(standing) if not _is_own(each, blueprint))


def find_changes(standing: Policy | None, wanted: Policy | None) -> tuple[str, ...]:
    """Statements that stand otherwise than wanted, are missing, or should go, by name."""
    before, after = ({_settle(each): _name(each) for each in _statements(policy)} for policy in (standing, wanted))
    return tuple(dict.fromkeys([*(after[one] for one in after if one not in before), *(before[one] for one in before if one not in after)]))


def is_same_policy(one: Policy | None, other: Policy | None) -> bool:
    """Whether they say the same to IAM; no policy is one without statements."""
    return not find_changes(one, other)


def _name(statement: Policy) -> str:
    return str(statement.get("Sid") or "without a name")


def _is_own(statement: Policy, blueprint: Blueprint) -> bool:
    return statement.get("Sid") in (TLS_SID, RECORDS_SID, blueprint.sid)


def _statements(policy: Policy | None) -> list[Policy]:
    """One statement may stand without its list."""
    found = (policy or {}).get("Statement", [])
    return [found] if isinstance(found, Mapping) else list(found)


def _settle(value: object) -> str:
    """A list of one and its only value are the same to IAM, as is any order."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{_settle(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(sorted(map(_settle, value))) + "]"
    return f"[{value}]"


def _allow_distribution(blueprint: Blueprint, distribution_arn: str) -> Policy:
    return {
        "Sid": blueprint.sid,
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": blueprint.keys_arn,
        # the ARN names the account already; S3's look-alikes know no other key
        "Condition": {
            "StringEquals": {"AWS:SourceArn": distribution_arn},
            "StringEqualsIfExists": {"AWS:SourceAccount": blueprint.account},
        },
    }


def _deny_records(blueprint: Blueprint) -> Policy:
    """A visitor, through whatever distribution, is nobody's principal: the key is missing then, and unlike the account."""
    return {
        "Sid": RECORDS_SID,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": [f"{blueprint.bucket_arn}/.sitepub/*", f"{blueprint.bucket_arn}/*/.sitepub/*"],
        "Condition": {"StringNotEquals": {"aws:PrincipalAccount": blueprint.account}},
    }


def _deny_plain_http(blueprint: Blueprint) -> Policy:
    return {
        "Sid": TLS_SID,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [blueprint.bucket_arn, f"{blueprint.bucket_arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
