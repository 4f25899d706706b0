"""What `doctor` asks of AWS: who we are, where the bucket is, whether it may be written. Changes nothing."""

from __future__ import annotations

import hashlib

from sitepub.aws.failures import Asked, explain_failure
from sitepub.aws.session import AwsSession
from sitepub.core.model import Digest, ETag, HeaderSet, Key
from sitepub.core.settings import BucketAddress
from sitepub.errors import ConfigurationError
from sitepub.interfaces import ConditionFailedError, Present, Store

_NO_VERSION = ETag('"00000000000000000000000000000000"')


def find_account(session: AwsSession, endpoint_url: str | None) -> str:
    """The account of the credentials. Raises a ConfigurationError that says what is wrong with them."""
    asked = Asked("sts:GetCallerIdentity", "AWS", region=session.region, profile=session.profile, is_first=True)
    try:
        client = session.client("sts", endpoint_url=endpoint_url or session.endpoint("sts"))
        return str(client.get_caller_identity()["Account"])
    except Exception as failure:
        raise explain_failure(failure, asked) from failure


def find_region(session: AwsSession, address: BucketAddress, endpoint_url: str | None) -> str | None:
    """As the bucket itself says; None where the server does not tell."""
    asked = Asked("s3:ListBucket", f"`{address}`", address.bucket, session.region, session.profile, is_first=True)
    try:
        client = session.client("s3", endpoint_url=endpoint_url or session.endpoint("s3"))
        answer = client.head_bucket(Bucket=address.bucket)
    except Exception as failure:
        raise explain_failure(failure, asked) from failure
    region: str | None = answer["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region")
    return region


def may_write_again(records: Store, key: Key, headers: HeaderSet) -> bool | None:
    """Offers the server a record's own bytes, over a version that there can't be: it refuses, for want of permission or for want of the
    version. A server that ignores conditions writes what stands there already. None where nothing stands there."""
    stored = records.read(key)
    if stored is None or not records.is_conditional:
        return None
    try:
        records.put(key, stored.body, headers, digest=Digest(hashlib.sha256(stored.body).hexdigest()), expect=Present(_NO_VERSION))
    except ConditionFailedError:
        return True
    except ConfigurationError as error:
        if error.code == "access-denied":
            return False
        raise
    return True
