"""What is asked once, before the first write: whose the credentials and the bucket are."""

from __future__ import annotations

import contextlib
from typing import Any

from sitepub.aws.failures import Asked, explain_failure, read_answer
from sitepub.aws.inspection import find_account
from sitepub.aws.session import AwsSession
from sitepub.core.settings import BucketAddress
from sitepub.errors import ConfigurationError, SitepubError


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


def _explain_forbidden(account: str, client: Any, address: BucketAddress, asked: Asked, failure: BaseException) -> SitepubError:
    with contextlib.suppress(Exception):
        client.head_bucket(Bucket=address.bucket)
        return ConfigurationError(
            "foreign-bucket", f"the bucket `{address.bucket}` is not account `{account}`'s", "correct `store:` or `account:` in the target"
        )
    return explain_failure(failure, asked)
