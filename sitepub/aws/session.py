"""Who we are to AWS and where: credentials, region, endpoints, clients. boto3 is imported only when the environment does not say it all."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from msgspec import Struct

from sitepub.core.partitions import GLOBAL_HOME, require_cdn
from sitepub.errors import ConfigurationError

T = TypeVar("T")

CONNECTIONS: Final = 64
ATTEMPTS: Final = 8
CONNECT_SECONDS: Final = 5
READ_SECONDS: Final = 15
"""For an answer to begin, and for each pause in it."""
RETRY_SECONDS: Final = 20
"""After so long no attempt of a write begins, so that the last one ends before a lease does. An answer that never comes leaves time for another."""
DEFAULT_REGION: Final = GLOBAL_HOME


class AccessKeys(Struct, frozen=True):
    """`expires_at` is None for keys that last."""

    id: str
    secret: str
    token: str | None = None
    expires_at: datetime | None = None

    def __repr__(self) -> str:
        return f"AccessKeys(id={self.id!r}, expires_at={self.expires_at!r})"  # neither the secret nor the token


class AwsSession:
    """One for a target. `attempts` counts the first one. Methods may be called from many threads."""

    def __init__(
        self,
        *,
        profile: str | None = None,
        region: str | None = None,
        environment: Mapping[str, str] | None = None,
        attempts: int = ATTEMPTS,
        read_seconds: float = READ_SECONDS,
        retry_seconds: float = RETRY_SECONDS,
        refused: Callable[[], None] = lambda: None,
    ) -> None:
        """`refused` is told each time that a server asks for fewer requests."""
        self.refused = refused
        self.profile = profile
        self.read_seconds = read_seconds
        self.retry_seconds = retry_seconds
        self._wanted_region = region
        self._environment = os.environ if environment is None else environment
        self._attempts = attempts
        self._lock = threading.RLock()
        self._session: Any = None
        self._shared: dict[str, Any] = {}
        self._clients: dict[tuple[str, str, str | None], Any] = {}

    @property
    def region(self) -> str:
        """The target's, the environment's, the profile's, or the default one, in this order. Raises ConfigurationError where there is no such profile."""
        said = self._wanted_region or self._environment.get("AWS_REGION") or self._environment.get("AWS_DEFAULT_REGION")
        if said:
            return said
        if self.profile or self._has_config_file():
            return self._find_profile_region() or DEFAULT_REGION
        return DEFAULT_REGION

    def endpoint(self, service: str) -> str | None:
        """An endpoint that the environment names for all of AWS or for one service."""
        return self._environment.get(f"AWS_ENDPOINT_URL_{service.upper()}") or self._environment.get("AWS_ENDPOINT_URL") or None

    def has_environment_keys(self) -> bool:
        """A profile that the target names goes before the environment, as in the AWS CLI."""
        return not self.profile and bool(self._environment.get("AWS_ACCESS_KEY_ID") and self._environment.get("AWS_SECRET_ACCESS_KEY"))

    def find_keys(self) -> AccessKeys:
        """Keys that are valid now. Raises botocore's own exceptions; failures.py explains them."""
        if self.has_environment_keys():
            return AccessKeys(
                self._environment["AWS_ACCESS_KEY_ID"],
                self._environment["AWS_SECRET_ACCESS_KEY"],
                self._environment.get("AWS_SESSION_TOKEN") or None,
            )
        with self._lock:
            try:
                return self._find_profile_keys()
            except (OSError, ValueError) as failure:
                raise self._name_provider(failure) from failure

    def client(self, service: str, *, region: str | None = None, endpoint_url: str | None = None) -> Any:
        """A client, made once. With an endpoint of one's own it asks for nothing that other servers may not know."""
        key = (service, region or self.region, endpoint_url)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._make_client(*key)
            return self._clients[key]

    def cdn_client(self, endpoint_url: str | None = None) -> Any:
        """Of CloudFront, which has one home in each partition. Raises ConfigurationError `no-cloudfront-there`."""
        region = GLOBAL_HOME if endpoint_url or self.endpoint("cloudfront") else require_cdn(self.region)
        return self.client("cloudfront", region=region, endpoint_url=endpoint_url)

    def share(self, name: str, make: Callable[[], T]) -> T:
        """What several users of the session have in common, made once; a name stands for one kind of thing."""
        with self._lock:
            if name not in self._shared:
                self._shared[name] = make()
            shared: T = self._shared[name]
            return shared

    def ca_bundle(self) -> bytes | None:
        """Certificates of a proxy or server of one's own, as the AWS CLI takes them. Raises ConfigurationError `tls-failure` where they can't be read."""
        path = self._environment.get("AWS_CA_BUNDLE")
        if not path:
            return None
        try:
            return Path(path).read_bytes()
        except OSError as failure:
            message = f"the certificates in `{path}` can't be read: {(failure.strerror or type(failure).__name__).lower()}"
            raise ConfigurationError("tls-failure", message, "correct `AWS_CA_BUNDLE`, or unset it") from failure

    def _make_client(self, service: str, region: str, endpoint_url: str | None) -> Any:
        from botocore.config import Config
        from botocore.handlers import add_expect_header

        from sitepub.aws.retries import end_retries

        # what is wrong with them is told here, not by whichever call comes first
        self.find_keys()
        options: dict[str, Any] = {}
        if endpoint_url is not None:
            options = {
                "s3": {"addressing_style": "path"},
                "request_checksum_calculation": "when_required",
                "response_checksum_validation": "when_required",
            }
        config = Config(
            retries={"mode": "standard", "total_max_attempts": self._attempts},
            max_pool_connections=CONNECTIONS,
            connect_timeout=CONNECT_SECONDS,
            read_timeout=self.read_seconds,
            user_agent_extra="sitepub",
            **options,
        )
        client = self._boto().client(service, region_name=region, endpoint_url=endpoint_url, config=config)
        # a second round trip for every body: https://github.com/boto/botocore/issues/3755
        client.meta.events.unregister("before-call.s3", add_expect_header)
        end_retries(client, self.retry_seconds)
        return client

    def _find_profile_region(self) -> str | None:
        """Explained here: it is asked for in many places, and in some to explain another failure."""
        from sitepub.aws.failures import Asked, explain_failure

        try:
            region: str | None = self._boto().region_name
        except Exception as failure:
            raise explain_failure(failure, Asked("", "AWS", profile=self.profile, is_first=True)) from failure
        return region

    def _find_profile_keys(self) -> AccessKeys:
        credentials = self._boto().get_credentials()
        if credentials is None:
            from botocore.exceptions import NoCredentialsError, PartialCredentialsError

            if not self.profile and self._environment.get("AWS_SECRET_ACCESS_KEY"):
                # botocore tells only of the other half
                raise PartialCredentialsError(provider="env", cred_var="AWS_ACCESS_KEY_ID")
            raise NoCredentialsError
        frozen = credentials.get_frozen_credentials()
        # private, but the only place where botocore tells it; obstore takes no other time zone
        expiry: datetime | None = getattr(credentials, "_expiry_time", None)
        return AccessKeys(frozen.access_key, frozen.secret_key, frozen.token, expiry.astimezone(UTC) if expiry else None)

    def _name_provider(self, failure: Exception) -> Exception:
        """botocore lets a `credential_process` that can't be run, or prints nonsense, look like any missing file or wrong value."""
        from botocore.exceptions import CredentialRetrievalError

        profile = self._boto()._session.get_scoped_config()
        token_files = (profile.get("web_identity_token_file"), self._environment.get("AWS_WEB_IDENTITY_TOKEN_FILE"))
        if "credential_process" not in profile or (isinstance(failure, OSError) and failure.filename in token_files):
            return failure
        named: Exception = CredentialRetrievalError(provider="custom-process", error_msg=type(failure).__name__)
        return named

    def _boto(self) -> Any:
        with self._lock:
            if self._session is None:
                import boto3

                self._session = (
                    boto3.Session(**self._boto_keys()) if self.has_environment_keys() else boto3.Session(profile_name=self.profile)
                )
            return self._session

    def _boto_keys(self) -> dict[str, str | None]:
        keys = self.find_keys()
        return {"aws_access_key_id": keys.id, "aws_secret_access_key": keys.secret, "aws_session_token": keys.token}

    def _has_config_file(self) -> bool:
        return Path(self._environment.get("AWS_CONFIG_FILE") or "~/.aws/config").expanduser().is_file()
