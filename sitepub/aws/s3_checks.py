"""What is asked of a bucket once, before the first write: whose it is, and whether its server judges conditions."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from typing import Final

from sitepub.aws.failures import Asked, explain_failure, read_answer
from sitepub.aws.inspection import find_account
from sitepub.aws.session import AwsSession
from sitepub.core.model import Digest, ETag, Key
from sitepub.core.settings import BucketAddress
from sitepub.errors import ConfigurationError, SitepubError
from sitepub.interfaces import Absent, Anything, ConditionFailedError, Present, Store

_PROBES: Final = "probe/"


def check_account(
    account: str,
    session: AwsSession,
    bucket: BucketAddress | None = None,
    *,
    endpoint_url: str | None = None,
    sts_endpoint_url: str | None = None,
) -> None:
    """The credentials and the bucket are the account's; a ConfigurationError says which is not."""
    found = find_account(session, sts_endpoint_url)
    if found != account:
        raise ConfigurationError(
            "wrong-account", f"the credentials are of account `{found}`, not `{account}`", "use others, or correct `account:` in the target"
        )
    if bucket is not None:
        _check_owner(account, session, bucket, endpoint_url)


def _check_owner(account: str, session: AwsSession, address: BucketAddress, endpoint_url: str | None) -> None:
    asked = Asked("s3:ListBucket", f"`{address}`", address.bucket, session.region, session.profile, is_first=True)
    client = session.client("s3", endpoint_url=endpoint_url or session.endpoint("s3"))
    try:
        client.head_bucket(Bucket=address.bucket, ExpectedBucketOwner=account)
    except Exception as failure:
        answer = read_answer(failure)
        if answer is not None and answer.status == 404:
            raise ConfigurationError("no-bucket", f"there is no bucket `{address.bucket}`", "create it, or run `sitepub up`") from failure
        if answer is not None and answer.status == 403:
            # a HEAD does not say why: the same without the owner tells the two reasons apart
            raise _explain_forbidden(account, client, address, asked, failure) from failure
        raise explain_failure(failure, asked) from failure


def _explain_forbidden(account: str, client: object, address: BucketAddress, asked: Asked, failure: BaseException) -> SitepubError:
    with contextlib.suppress(Exception):
        client.head_bucket(Bucket=address.bucket)  # type: ignore[attr-defined]
        return ConfigurationError(
            "foreign-bucket", f"the bucket `{address.bucket}` is not account `{account}`'s", "correct `store:` or `account:` in the target"
        )
    return explain_failure(failure, asked)


def probe_conditional_writes(records: Store) -> bool:
    """Writes a few bytes among the records. True where the server itself refuses what it should and accepts what it should."""
    key = Key(f"{_PROBES}{secrets.token_hex(8)}")
    body = key.encode()
    digest = Digest(hashlib.sha256(body).hexdigest())
    try:
        etag = _put_first(records, key, body, digest)
        if not _is_refused(records, key, body, digest, Absent()) or not _is_refused(records, key, body, digest, Present(ETag('"0"'))):
            return False
        records.put(key, body, (), digest=digest, expect=Present(etag))
    except ConditionFailedError:
        return False
    finally:
        records.delete(key, expect=Anything())
    return True


def _put_first(records: Store, key: Key, body: bytes, digest: Digest) -> ETag:
    """A refusal of a name that nobody else knows is the answer to our own second attempt: that to the first was lost."""
    try:
        return records.put(key, body, (), digest=digest, expect=Absent())
    except ConditionFailedError:
        found = records.head(key)
        if found is None:
            raise
        return found.etag


def _is_refused(store: Store, key: Key, body: bytes, digest: Digest, expect: Absent | Present) -> bool:
    try:
        store.put(key, body, (), digest=digest, expect=expect)
    except ConditionFailedError:
        return True
    return False
