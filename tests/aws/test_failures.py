"""What users read when credentials, the network or a server fail. Credentials fail in botocore itself, answers come over the wire."""

from __future__ import annotations

import importlib.util
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.exceptions import LoginTokenLoadError, ParamValidationError

from sitepub.aws.failures import Asked, explain_failure
from sitepub.aws.s3 import S3Store
from sitepub.aws.session import AwsSession
from sitepub.core.model import Digest, Key
from sitepub.core.settings import BucketAddress
from sitepub.errors import ConfigurationError, ExitStatus, SitepubError, StoppedError
from sitepub.interfaces import Anything, Store
from tests.contracts.test_store import put
from tests.support.canned_server import FINE, Canned, make_certificate, refuse, run_canned
from tests.support.servers import ACCESS_KEY, SECRET_KEY, S3Server

CALLS: dict[str, Callable[[Store], object]] = {
    "lean read": lambda store: store.read(Key("a")),
    "lean head": lambda store: store.head(Key("a")),
    "lean put": lambda store: put(store, "a", b"x"),
    "boto3 list": lambda store: list(store.list()),
    "boto3 put": lambda store: put(store, "a", b"x", (("Expires", "Thu, 01 Jan 2032 00:00:00 GMT"),)),
    "boto3 copy": lambda store: store.copy(store.place(Key("b")), Key("a"), (), digest=Digest("0" * 64), expect=Anything()),
}


def fail(call: Callable[[], object]) -> SitepubError:
    with pytest.raises(SitepubError) as caught:
        call()
    error = caught.value
    assert error.hint
    assert SECRET_KEY not in f"{error} {error.hint}"
    assert error.message[0].islower() or error.message[0] in "`A"
    assert not error.message.endswith(".")
    return error


def find_credentials(profile: str | None = None) -> SitepubError:
    """Of a user whose environment is this and nothing else; botocore reads the process's own."""
    session = AwsSession(profile=profile)
    store = S3Store(BucketAddress("bucket"), session, endpoint_url="http://127.0.0.1:1", attempts=1)
    lean = fail(lambda: store.read(Key("a")))
    full = fail(lambda: list(S3Store(BucketAddress("bucket"), session, endpoint_url="http://127.0.0.1:1", attempts=1).list()))
    assert (full.code, full.hint) == (lean.code, lean.hint)
    assert lean.status is ExitStatus.CONFIGURATION
    return lean


@pytest.fixture
def write_profile(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def write(*lines: str, more: str = "") -> None:
        (home / "aws-config").write_text("[profile work]\n" + "\n".join(lines) + "\n" + more)

    return write


def test_no_credentials() -> None:
    error = find_credentials()
    assert error.code == "no-credentials"
    assert error.message == "`s3://bucket/a`: no AWS credentials were found"


def test_half_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "half")
    assert find_credentials().code == "partial-credentials"


def test_a_profile_that_is_not_there() -> None:
    error = find_credentials("wrok")
    assert error.code == "no-profile"
    assert "`wrok`" in error.message


def test_a_profile_that_is_not_there_tells_no_region() -> None:
    error = fail(lambda: AwsSession(profile="wrok").region)
    assert (error.code, error.status) == ("no-profile", ExitStatus.CONFIGURATION)


def test_a_profile_that_the_environment_names_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "wrok")
    error = find_credentials()
    assert error.code == "no-profile"
    assert "`wrok`" in error.message


@pytest.mark.parametrize("is_session", [False, True], ids=["legacy", "sso-session"])
def test_a_single_sign_on_that_has_ended(write_profile: Callable[..., None], is_session: bool) -> None:
    where = ["sso_start_url = https://example.awsapps.com/start", "sso_region = eu-central-1"]
    role = ["sso_account_id = 123456789012", "sso_role_name = admin"]
    if is_session:
        write_profile("sso_session = us", *role, more="[sso-session us]\n" + "\n".join(where) + "\n")
    else:
        write_profile(*where, *role)
    error = find_credentials("work")
    assert error.code == "sso-login"
    assert error.hint == "run `aws sso login --profile work`"


def test_a_sign_in_that_has_ended(write_profile: Callable[..., None]) -> None:
    write_profile("login_session = arn:aws:iam::123456789012:user/me", "region = eu-central-1")
    error = find_credentials("work")
    if importlib.util.find_spec("awscrt") is None:
        assert (error.code, "botocore[crt]" in error.hint) == ("missing-library", True)
    else:
        assert (error.code, error.hint) == ("aws-login", "run `aws login --profile work`")


def test_a_sign_in_that_can_not_be_read() -> None:
    failure = LoginTokenLoadError(error_msg="no token")
    error = explain_failure(failure, Asked("s3:GetObject", "`s3://b/a`", profile="work"))
    assert (error.code, error.hint) == ("aws-login", "run `aws login --profile work`")


@pytest.mark.parametrize("command", ["false", "echo nonsense", "/nowhere/to/be/found"])
def test_a_credential_process_that_fails(write_profile: Callable[..., None], command: str) -> None:
    write_profile(f"credential_process = {command}")
    assert find_credentials("work").code == "credential-process"


def test_a_source_profile_that_is_not_there(write_profile: Callable[..., None]) -> None:
    write_profile("role_arn = arn:aws:iam::123456789012:role/x", "source_profile = nobody")
    error = find_credentials("work")
    assert error.code == "bad-aws-config"
    assert "`work`" in error.hint


def test_a_token_file_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/x")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/token")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    error = find_credentials()
    assert error.code == "no-token-file"
    assert "`/nowhere/token`" in error.message


def test_keys_that_end_are_renewed_under_way(write_profile: Callable[..., None], home: Path) -> None:
    """The process gives other keys each time, which last a minute, until it fails."""
    script = home / "keys.sh"
    keys = {"Version": 1, "AccessKeyId": "KEYS", "SecretAccessKey": SECRET_KEY, "SessionToken": "t", "Expiration": "SOON"}
    script.write_text(
        f"#!/bin/sh\n[ -e {home}/broken ] && exit 7\necho x >> {home}/asked\n"
        f"echo '{json.dumps(keys)}' | sed \"s/KEYS/$(wc -l < {home}/asked)/; s/SOON/$(date -u -d '+1 minute' +%Y-%m-%dT%H:%M:%SZ)/\"\n"
    )
    script.chmod(0o755)
    write_profile(f"credential_process = {script}")
    with run_canned(FINE) as server:
        store = S3Store(
            BucketAddress("bucket"), AwsSession(profile="work", region="us-east-1"), endpoint_url=server.endpoint_url, attempts=1
        )

        def put_later() -> None:
            time.sleep(0.2)  # obstore asks for keys at most every 100 ms
            put(store, "a", b"x")

        put_later()
        put_later()
        (home / "broken").touch()
        assert fail(put_later).code == "credential-process"
        (home / "broken").unlink()
        put_later()
        used = [received.headers["authorization"].partition("Credential=")[2].partition("/")[0] for received in server.received]
    assert len(used) == len(set(used)) == 3


def test_a_named_profile_goes_before_the_environment(write_profile: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    write_profile("aws_access_key_id = PROFILE", "aws_secret_access_key = secret", "region = ap-south-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert AwsSession().find_keys().id == "ENVIRONMENT"
    session = AwsSession(profile="work")
    assert session.find_keys().id == "PROFILE"
    assert session.client("s3").meta.region_name == "ap-south-1"
    assert session.region == "ap-south-1"


def test_secrets_are_not_shown() -> None:
    keys = AwsSession(
        environment={"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_SESSION_TOKEN": "tok-en"}
    ).find_keys()
    assert SECRET_KEY not in repr(keys)
    assert "tok-en" not in repr(keys)


ANSWERS = {
    "expired-credentials": refuse(400, "ExpiredToken", "The provided token has expired."),
    "unknown-credentials": refuse(403, "InvalidAccessKeyId", "The key does not exist", f"<AWSAccessKeyId>{ACCESS_KEY}</AWSAccessKeyId>"),
    "wrong-signature": refuse(403, "SignatureDoesNotMatch"),
    "wrong-clock": refuse(403, "RequestTimeTooSkewed", "The difference is too large."),
    "no-bucket": refuse(404, "NoSuchBucket"),
    "bad-bucket-name": refuse(400, "InvalidBucketName"),
    "access-denied": refuse(403, "AccessDenied", "User: arn:aws:iam::1:user/x is not authorized to perform: kms:Decrypt on resource: k"),
    "throttled": refuse(503, "SlowDown", "Please reduce your request rate."),
    "server-fault": refuse(500, "InternalError"),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("code", ANSWERS)
def test_answers_of_a_server(code: str, call: str) -> None:
    with run_canned(ANSWERS[code]) as server:
        error = fail(lambda: CALLS[call](server.make_store()))
    if call == "lean head" and code in ("expired-credentials", "bad-bucket-name"):
        # a HEAD answered 400 has no body
        assert error.code in (code, "refused-by-server")
        return
    assert error.code == code
    assert isinstance(error, StoppedError if code in ("throttled", "server-fault") else ConfigurationError)
    if code == "access-denied":
        assert "`kms:Decrypt`" in error.message


@pytest.mark.parametrize("call", CALLS)
def test_a_denial_without_words_names_what_was_asked(call: str) -> None:
    with run_canned(refuse(403, "AccessDenied", "Access Denied")) as server:
        error = fail(lambda: CALLS[call](server.make_store()))
    wanted = {"read": "s3:GetObject", "head": "s3:GetObject", "list": "s3:ListBucket"}.get(call.split()[1], "s3:PutObject")
    assert f"`{wanted}`" in error.message


@pytest.mark.parametrize("call", ["lean read", "lean put", "boto3 put"])
def test_the_right_region_is_named(call: str) -> None:
    answer = refuse(400, "AuthorizationHeaderMalformed", "the region 'us-east-1' is wrong", "<Region>eu-central-1</Region>")
    with run_canned(answer) as server:
        error = fail(lambda: CALLS[call](server.make_store()))
    assert error.code == "wrong-region"
    assert error.message == "the bucket `bucket` is in `eu-central-1`, not in `us-east-1`"
    assert error.hint == "set `region: eu-central-1` in the target"


def test_a_redirect_to_another_region() -> None:
    with run_canned(Canned(301)) as server:
        error = fail(lambda: server.make_store().read(Key("a")))
    assert error.code == "wrong-region"


@pytest.mark.parametrize("call", CALLS)
def test_nobody_listens(call: str) -> None:
    session = AwsSession(environment={"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}, attempts=1)
    store = S3Store(BucketAddress("bucket"), session, endpoint_url="http://127.0.0.1:1", attempts=1)
    error = fail(lambda: CALLS[call](store))
    assert (error.code, error.status) == ("unreachable", ExitStatus.CONFIGURATION)
    assert "refuses connections" in error.message or "can't be reached" in error.message


@pytest.mark.parametrize("call", CALLS)
def test_a_connection_that_breaks_off_later_can_be_finished(call: str) -> None:
    with run_canned(refuse(404, "NoSuchKey"), Canned(0)) as server:
        store = server.make_store()
        assert store.read(Key("first")) is None
        error = fail(lambda: CALLS[call](store))
    assert (error.code, error.status) == ("connection-lost", ExitStatus.STOPPED)


@pytest.mark.parametrize("call", CALLS)
def test_a_server_that_nobody_vouches_for(call: str, tmp_path: Path) -> None:
    with run_canned(FINE, certificate=make_certificate(tmp_path)) as server:
        error = fail(lambda: CALLS[call](server.make_store()))
    assert error.code == "tls-failure"
    assert "AWS_CA_BUNDLE" in error.hint


def test_a_bundle_vouches_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = make_certificate(tmp_path)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "only.pem"))
    with run_canned(FINE, certificate=certificate) as server:
        store = server.make_store(AWS_CA_BUNDLE=str(tmp_path / "only.pem"))
        assert CALLS["lean put"](store) == CALLS["boto3 put"](store) == '"e"'


@pytest.mark.parametrize(("name", "reason"), [("gone.pem", "no such file or directory"), (".", "is a directory")])
def test_a_bundle_that_can_not_be_read(tmp_path: Path, name: str, reason: str) -> None:
    path = tmp_path / name
    with run_canned(FINE) as server:
        error = fail(lambda: server.make_store(AWS_CA_BUNDLE=str(path)).read(Key("a")))
    assert (error.code, error.status) == ("tls-failure", ExitStatus.CONFIGURATION)
    assert error.message == f"the certificates in `{path}` can't be read: {reason}"
    assert "`AWS_CA_BUNDLE`" in error.hint


def test_wrong_keys_on_a_real_server(seaweedfs: S3Server) -> None:
    def ask(**changes: str) -> str:
        store = S3Store(seaweedfs.make_address(), seaweedfs.session(**changes), endpoint_url=seaweedfs.endpoint_url, attempts=1)
        codes = {fail(lambda call=call: call(store)).code for call in CALLS.values()}  # type: ignore[misc]
        assert len(codes) == 1
        return codes.pop()

    assert ask(AWS_SECRET_ACCESS_KEY="wrong") == "wrong-signature"
    assert ask(AWS_ACCESS_KEY_ID="nobody") == "unknown-credentials"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('HTTP error: error sending request: ConnectError("dns error", "failed to lookup address information")', "no address"),
        ("Connect timeout on endpoint URL: http://tls.example/ssl", "in time"),
        ("Connection reset by peer", "broke off"),
    ],
)
def test_reasons_of_the_network(text: str, reason: str) -> None:
    error = explain_failure(OSError(text), Asked("s3:GetObject", "`s3://b/a`", is_first=True))
    assert error.code == "unreachable"
    assert reason in error.message


def test_what_a_client_does_not_even_send_is_told() -> None:
    failure = ParamValidationError(report="Invalid length for parameter Key, value: 0, valid min length: 1\nMore.")
    error = explain_failure(failure, Asked("s3:GetObject", "`s3://b/a`"))
    assert error.message == "`s3://b/a`: invalid length for parameter Key, value: 0, valid min length: 1"


def test_an_error_of_ours_stays_as_it_is() -> None:
    error = StoppedError("file-changed", "x")
    assert explain_failure(error, Asked("s3:GetObject", "`s3://b/a`")) is error
