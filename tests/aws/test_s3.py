"""What an S3 store does beyond the contract: which client it uses, what it repeats, what it leaves behind."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sitepub.aws import s3_listing
from sitepub.aws.probe import judges_conditions, open_probe
from sitepub.aws.s3 import S3Store
from sitepub.aws.s3_checks import check_account
from sitepub.aws.s3_lean import keeps_key
from sitepub.aws.session import AwsSession
from sitepub.core.model import ETag, HeaderSet, Key
from sitepub.core.settings import BucketAddress
from sitepub.errors import ConfigurationError, StoppedError
from sitepub.interfaces import Absent, Anything, ConditionFailedError, FileBody, Present, Store
from tests.contracts.test_store import ALL_HEADERS, HTML, body_of, digest_of, put, write_large
from tests.support.canned_server import FINE, Canned, refuse, run_canned
from tests.support.memory_store import MemoryStore
from tests.support.servers import ENVIRONMENT, S3Server

ALTERED = ("x//y", "x/", "/x", "a/../b", "./a", "tab\tx", "del\x7f", "back\\slash")
REFUSED = refuse(412, "PreconditionFailed")
CONFLICT = refuse(409, "ConditionalRequestConflict")


@pytest.mark.parametrize("key", ALTERED)
def test_keys_that_the_lean_client_alters_go_all_the_way(moto_server: S3Server, key: str) -> None:
    """Nobody publishes such keys, but another tool's stand in buckets."""
    store = moto_server.make_store(BucketAddress(moto_server.make_bucket()))
    assert not keeps_key(key)
    etag = put(store, key, b"odd", expect=Absent())
    assert [row.key for row in store.list()] == [key]
    assert body_of(store, key) == b"odd"
    assert store.read_range(Key(key), 1, 2) == b"dd"
    head = store.head(Key(key))
    assert head is not None and (head.etag, head.headers) == (etag, HTML)
    with pytest.raises(ConditionFailedError):
        put(store, key, b"other", expect=Absent())
    store.delete(Key(key), expect=Anything())
    assert list(store.list()) == []


def test_a_folder_marker_is_no_file(seaweedfs: S3Server) -> None:
    """The AWS console makes `img/` for a folder; it must not be taken for a key `img`."""
    store = seaweedfs.make_store(BucketAddress(seaweedfs.make_bucket()))
    put(store, "img/", b"")
    put(store, "img/a.png", b"x")
    assert [row.key for row in store.list()] == ["img/", "img/a.png"]
    assert store.head(Key("img")) is None


def test_a_store_without_prefix_has_the_whole_bucket(seaweedfs: S3Server) -> None:
    bucket = seaweedfs.make_bucket()
    put(seaweedfs.make_store(BucketAddress(bucket)), "a", b"x")
    put(seaweedfs.make_store(BucketAddress(bucket, "deep/down")), "b", b"x")
    assert [row.key for row in seaweedfs.make_store(BucketAddress(bucket)).list()] == ["a", "deep/down/b"]
    assert [row.key for row in seaweedfs.make_store(BucketAddress(bucket, "deep")).list()] == ["down/b"]


def test_an_empty_bucket_is_asked_once(seaweedfs: S3Server) -> None:
    store = seaweedfs.make_store()
    assert not store.may_hold([Key("a")])
    assert store.requests == 1
    put(store, "b", b"x")
    assert not store.may_hold([Key("a")])
    assert store.requests == 3


def test_a_listing_that_two_threads_made_ready_is_read_once(seaweedfs: S3Server) -> None:
    bucket = seaweedfs.make_bucket()
    client = seaweedfs.session().client("s3", endpoint_url=seaweedfs.endpoint_url)
    for name in ("one", "other"):
        client.meta.events.register("before-parse.s3.ListObjectsV2", s3_listing._read_before_parsing, unique_id=name)
    client.put_object(Bucket=bucket, Key="a", Body=b"x")
    assert [row[0] for row in s3_listing.list_page(client, bucket, "", None).rows] == ["a"]


def test_copies_come_from_other_prefixes(seaweedfs: S3Server) -> None:
    origin, store = seaweedfs.make_store(), seaweedfs.make_store()
    put(origin, "a+b é.html", b"x")
    store.copy(origin.place(Key("a+b é.html")), Key("c"), HTML, digest=digest_of(b"x"), expect=Absent())
    assert body_of(store, "c") == b"x"


def test_headers_of_another_tool_are_seen(seaweedfs: S3Server) -> None:
    """The lean client shows no Expires: an object without our digest is looked at with the other one."""
    address = seaweedfs.make_address()
    seaweedfs.client().put_object(
        Bucket=address.bucket,
        Key=f"{address.prefix}/a",
        Body=b"x",
        Expires="Thu, 01 Jan 2032 00:00:00 GMT",
        ContentType="text/x",
        Metadata={"mtime": "1"},
    )
    head = seaweedfs.make_store(address).head(Key("a"))
    assert head is not None and head.digest is None
    assert head.headers == (("Content-Type", "text/x"), ("Expires", "Thu, 01 Jan 2032 00:00:00 GMT"), ("x-amz-meta-mtime", "1"))


@pytest.mark.parametrize(
    ("headers", "code"),
    [((("X-Frame-Options", "DENY"),), "unknown-header"), ((("Cache-Control", "no-cache\r\nX: y"),), "bad-header")],
)
def test_headers_that_s3_can_not_keep_are_refused_before_anything_is_sent(headers: HeaderSet, code: str) -> None:
    with run_canned(FINE) as server:
        with pytest.raises(ConfigurationError) as caught:
            put(server.make_store(), "a", b"x", headers)
        assert caught.value.code == code
        assert server.received == []


def test_plain_work_needs_no_boto3(seaweedfs: S3Server) -> None:
    address = seaweedfs.make_address()
    script = f"""
import sys
from sitepub.aws.s3 import S3Store
from sitepub.aws.session import AwsSession
from sitepub.core.settings import BucketAddress
from sitepub.interfaces import Absent, Anything, Present
store = S3Store(BucketAddress({address.bucket!r}, {address.prefix!r}), AwsSession(), endpoint_url={seaweedfs.endpoint_url!r})
assert 'obstore' not in sys.modules, 'made before it is used'
etag = store.put('a', b'x', (('Content-Type', 'text/html'),), digest={digest_of(b"x")!r}, expect=Absent())
store.put('a', b'x', (), digest={digest_of(b"x")!r}, expect=Present(etag))
store.read('a'), store.read_range('a', 0, 1), store.head('a')
store.delete('a', expect=Anything())
assert not {"boto3", "botocore", "email.utils", "xml.etree", "random"} & sys.modules.keys()
"""
    run = subprocess.run([sys.executable, "-c", script], env=seaweedfs.environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_no_put_waits_for_a_continue() -> None:
    with run_canned(FINE) as server:
        store = server.make_store()
        put(store, "a", b"x" * 5000)
        put(store, "a", b"x" * 5000, ALL_HEADERS)
        assert [received.method for received in server.received] == ["PUT", "PUT"]
        assert not any("expect" in received.headers for received in server.received)


def test_what_is_sent_with_a_put() -> None:
    with run_canned(FINE) as server:
        put(server.make_store(), "a b.html", b"x", HTML, Absent())
        put(server.make_store(), "a b.html", b"x", HTML, Present('"abc"'))  # type: ignore[arg-type]
        first, second = server.received
    assert first.path == "/bucket/a%20b.html"
    assert {name: first.headers[name] for name in ("cache-control", "content-type", "x-amz-meta-sitepub-digest", "if-none-match")} == {
        "cache-control": "public, max-age=0",
        "content-type": "text/html; charset=utf-8",
        "x-amz-meta-sitepub-digest": digest_of(b"x"),
        "if-none-match": "*",
    }
    assert second.headers["if-match"] == '"abc"'
    assert first.headers["authorization"].startswith("AWS4-HMAC-SHA256")


@pytest.mark.parametrize("headers", [HTML, ALL_HEADERS], ids=["lean", "boto3"])
def test_a_conflict_is_tried_again(headers: HeaderSet) -> None:
    with run_canned(CONFLICT, CONFLICT, FINE) as server:
        store = server.make_store()
        assert put(store, "a", b"x", headers, Absent()) == '"e"'
        assert len(server.received) == 3
        assert store.requests == 1


@pytest.mark.parametrize("headers", [HTML, ALL_HEADERS], ids=["lean", "boto3"])
def test_a_conflict_without_end_is_a_refusal(headers: HeaderSet) -> None:
    with run_canned(CONFLICT) as server, pytest.raises(ConditionFailedError):
        put(server.make_store(), "a", b"x", headers, Absent())


@pytest.mark.parametrize("fault", [refuse(503, "SlowDown"), refuse(500, "InternalError"), Canned(0)], ids=["slow down", "500", "lost"])
@pytest.mark.parametrize("headers", [HTML, ALL_HEADERS], ids=["lean", "boto3"])
def test_faults_are_tried_again(fault: Canned, headers: HeaderSet) -> None:
    with run_canned(fault, FINE) as server:
        store = server.make_store(attempts=3)
        assert put(store, "a", b"x", headers) == '"e"'
        assert len(server.received) == 2
        assert store.requests == 1


@pytest.mark.parametrize(
    ("fault", "expected"),
    [(refuse(503, "SlowDown"), 1), (refuse(500, "InternalError"), 0), (Canned(0), 0)],
    ids=["slow down", "500", "lost"],
)
def test_a_server_that_asks_for_less_gets_less(fault: Canned, expected: int) -> None:
    with run_canned(fault, FINE) as server:
        assert count_refusals(server.endpoint_url) == expected


def test_a_line_that_answers_too_late_carries_less() -> None:
    refusals: list[None] = []
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(ConfigurationError):
        count_refusals(f"http://127.0.0.1:{server.getsockname()[1]}", refusals)
    assert len(refusals) == 3


def count_refusals(endpoint_url: str, refusals: list[None] | None = None) -> int:
    """Of one put, tried three times."""
    told = [] if refusals is None else refusals
    session = AwsSession(environment=ENVIRONMENT, read_seconds=0.1, refused=lambda: told.append(None))
    put(S3Store(BucketAddress("bucket"), session, endpoint_url=endpoint_url, attempts=3), "a", b"x")
    return len(told)


def test_a_body_that_breaks_off_is_no_body() -> None:
    half = Canned(200, "half", {**FINE.headers, "Content-Length": "100", "Connection": "close"})
    with run_canned(half) as server, pytest.raises((StoppedError, ConfigurationError), match="broke off"):
        server.make_store().read(Key("a"))


def list_uploads(server: S3Server, address: BucketAddress) -> list[str]:
    uploads = server.client().list_multipart_uploads(Bucket=address.bucket, Prefix=address.prefix).get("Uploads", [])
    return [upload["Key"] for upload in uploads]


def make_own_client(server: S3Server, attempts: int = 3) -> tuple[S3Store, Any, BucketAddress]:
    """A store whose client may be tampered with."""
    address = server.make_address()
    session = AwsSession(environment=server.environment, attempts=attempts)
    return S3Store(address, session, endpoint_url=server.endpoint_url), session.client("s3", endpoint_url=server.endpoint_url), address


def put_file(store: S3Store, body: FileBody) -> str:
    return store.put(video_key(body), body, HTML, digest=body.digest, expect=Absent())


def video_key(body: FileBody) -> Key:
    return Key(f"video.{body.digest[:12]}.mp4")


@pytest.mark.parametrize("operation", ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"])
def test_an_upload_that_breaks_off_is_gone_on_with(seaweedfs: S3Server, tmp_path: Path, operation: str) -> None:
    store, client, address = make_own_client(seaweedfs, attempts=1)

    def fail(**_: object) -> None:
        raise ConnectionResetError("Connection reset by peer")

    client.meta.events.register_first(f"before-send.s3.{operation}", fail)
    body = write_large(tmp_path, 20 * 1024 * 1024)
    with pytest.raises(StoppedError):
        put_file(store, body)
    assert len(list_uploads(seaweedfs, address)) == (operation != "CreateMultipartUpload")
    assert list(store.list()) == []
    client.meta.events.unregister(f"before-send.s3.{operation}", fail)
    put_file(store, body)
    assert list_uploads(seaweedfs, address) == []
    store.delete(video_key(body), expect=Anything())
    # every slot was given back
    for _ in range(2):
        put_file(store, body)
        store.delete(video_key(body), expect=Anything())


@pytest.mark.parametrize("server", ["seaweedfs", "moto_server"])
def test_a_completed_upload_whose_answer_is_lost_is_recognised(request: pytest.FixtureRequest, tmp_path: Path, server: str) -> None:
    from botocore.exceptions import ConnectionClosedError
    from botocore.httpsession import URLLib3Session

    store, client, _ = make_own_client(request.getfixturevalue(server))
    lost: list[int] = []

    def lose(request: Any, **_: object) -> None:
        if not lost:
            lost.append(URLLib3Session().send(request.copy() if hasattr(request, "copy") else request).status_code)
            raise ConnectionClosedError(endpoint_url=request.url)

    client.meta.events.register_first("before-send.s3.CompleteMultipartUpload", lose)
    body = write_large(tmp_path, 20 * 1024 * 1024)
    try:
        etag = put_file(store, body)
    except ConditionFailedError:
        # SeaweedFS judges the condition before it misses the upload; then whoever asked reads it back, as after any lost answer
        etag = None
    assert lost == [200]
    head = store.head(video_key(body))
    assert head is not None and head.digest == body.digest
    assert etag in ((head.etag,) if server == "moto_server" else (head.etag, None))


@pytest.mark.parametrize("stands", ["ours", "another"])
def test_an_upload_that_is_unknown_when_asked_again_may_be_complete(tmp_path: Path, stands: str) -> None:
    """As AWS answers a repeated CompleteMultipartUpload whose first answer was lost."""
    body = write_large(tmp_path, 9 * 1024 * 1024)
    digest = body.digest if stands == "ours" else digest_of(b"another")
    created = Canned(200, "<InitiateMultipartUploadResult><UploadId>U</UploadId></InitiateMultipartUploadResult>")
    complete = Canned(200, "", {**FINE.headers, "x-amz-meta-sitepub-digest": digest})
    unknown = refuse(404, "NoSuchUpload")
    none = Canned(200, "<ListMultipartUploadsResult></ListMultipartUploadsResult>")
    with run_canned(refuse(404, "NoSuchKey"), refuse(404, "NoSuchKey"), none, created, FINE, FINE, unknown, unknown, complete) as server:
        if stands == "ours":
            assert put_file(server.make_store(), body) == '"e"'
        else:
            with pytest.raises(StoppedError) as caught:
                put_file(server.make_store(), body)
            assert caught.value.code == "upload-lost"
        assert [received.method for received in server.received] == ["HEAD", "GET", "GET", "POST", "PUT", "PUT", "POST", "DELETE", "HEAD"]


def test_a_copy_to_itself_names_no_range() -> None:
    """S3 takes a range only of what is larger than 5 MB, no emulator minds."""
    there = Canned(200, "", {**FINE.headers, "Content-Length": "7"})
    created = Canned(200, "<InitiateMultipartUploadResult><UploadId>U</UploadId></InitiateMultipartUploadResult>")
    copied = Canned(200, "<CopyPartResult><ETag>&quot;e&quot;</ETag></CopyPartResult>")
    completed = Canned(200, "<CompleteMultipartUploadResult><ETag>&quot;f-1&quot;</ETag></CompleteMultipartUploadResult>")
    with run_canned(there, there, there, created, copied, completed) as server:
        store = server.make_store()
        assert store.copy(store.place(Key("a")), Key("a"), HTML, digest=digest_of(b"x"), expect=Present(ETag('"e"'))) == '"f-1"'
        part = next(received for received in server.received if "partNumber=1" in received.path)
    assert part.headers["x-amz-copy-source"] == "bucket/a"
    assert "x-amz-copy-source-range" not in part.headers


def test_a_file_that_is_gone_stops(seaweedfs: S3Server, tmp_path: Path) -> None:
    store = seaweedfs.make_store()
    for size in (100, 20 * 1024 * 1024):
        with pytest.raises(StoppedError) as caught:
            put_file(store, FileBody(tmp_path / "gone", size, digest_of(b"")))
        assert caught.value.code == "file-changed"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="`/proc` is not there")
def test_a_large_file_needs_little_memory(seaweedfs: S3Server, tmp_path: Path) -> None:
    """384 MiB; the interpreter and both clients take about 60 MiB, the parts in flight at most 64 MiB."""
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(384 * 1024 * 1024)
    address = seaweedfs.make_address()
    script = f"""
import hashlib, pathlib
from sitepub.aws.s3 import S3Store
from sitepub.aws.session import AwsSession
from sitepub.core.settings import BucketAddress
from sitepub.interfaces import Absent, FileBody
path = pathlib.Path({str(path)!r})
digest = hashlib.file_digest(path.open('rb'), 'sha256').hexdigest()
store = S3Store(BucketAddress({address.bucket!r}, {address.prefix!r}), AwsSession(), endpoint_url={seaweedfs.endpoint_url!r})
store.put('large', FileBody(path, path.stat().st_size, digest), (), digest=digest, expect=Absent())
print(pathlib.Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0])
"""
    run = subprocess.run([sys.executable, "-c", script], env=seaweedfs.environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) < 200 * 1024
    head = seaweedfs.make_store(address).head(Key("large"))
    assert head is not None and head.size == 384 * 1024 * 1024


def test_conditions_are_looked_up_where_the_server_does_not_judge_them(seaweedfs: S3Server) -> None:
    store = seaweedfs.make_store(is_conditional=False)
    assert store.is_conditional is False
    etag = put(store, "a", b"first", expect=Absent())
    with pytest.raises(ConditionFailedError):
        put(store, "a", b"second", expect=Absent())
    with pytest.raises(ConditionFailedError):
        store.delete(Key("a"), expect=Present('"0"'))  # type: ignore[arg-type]
    etag = put(store, "a", b"second", expect=Present(etag))
    with pytest.raises(ConditionFailedError):
        put(store, "b", b"x", expect=Present(etag))
    store.delete(Key("a"), expect=Present(etag))
    assert list(store.list()) == []


def tries(records: Store) -> bool:
    with open_probe(records) as probe:
        return judges_conditions(probe)


@pytest.mark.parametrize("server", ["seaweedfs", "moto_server"])
def test_a_probe_finds_conditional_writes(request: pytest.FixtureRequest, server: str) -> None:
    store = request.getfixturevalue(server).make_store()
    assert tries(store)
    assert list(store.list()) == []


@pytest.mark.parametrize("answers", [(FINE,), (FINE, REFUSED, REFUSED, REFUSED, FINE)], ids=["all ignored", "always refused"])
def test_a_probe_finds_servers_without(answers: tuple[Canned, ...]) -> None:
    with run_canned(*answers) as server:
        assert not tries(server.make_store())


def test_a_probe_cleans_up() -> None:
    store = MemoryStore()
    assert tries(store)
    assert dict(store.objects) == {}


def test_a_probe_that_may_not_be_written_says_so() -> None:
    with run_canned(refuse(403, "AccessDenied")) as server:
        with pytest.raises(ConfigurationError) as caught:
            tries(server.make_store())
        assert "`s3:PutObject`" in caught.value.message
        assert [each.method for each in server.received] == ["PUT", "DELETE"], "what may have been written is taken away"


def test_the_account_is_checked(moto_server: S3Server) -> None:
    bucket = BucketAddress(moto_server.make_bucket())
    url = moto_server.endpoint_url
    check_account("123456789012", moto_server.session(), bucket, endpoint_url=url, sts_endpoint_url=url)
    with pytest.raises(ConfigurationError) as caught:
        check_account("210987654321", moto_server.session(), bucket, endpoint_url=url, sts_endpoint_url=url)
    assert caught.value.code == "wrong-account"
    with pytest.raises(ConfigurationError) as caught:
        check_account("123456789012", moto_server.session(), BucketAddress("not-there"), endpoint_url=url, sts_endpoint_url=url)
    assert caught.value.code == "no-bucket"


@pytest.mark.parametrize(
    ("answers", "code"),
    [((Canned(403), Canned(200)), "foreign-bucket"), ((Canned(403), Canned(403)), "access-denied")],
    ids=["foreign", "denied"],
)
def test_a_bucket_of_another_account(moto_server: S3Server, answers: tuple[Canned, ...], code: str) -> None:
    """moto ignores whose bucket is expected."""
    with run_canned(*answers) as server:
        with pytest.raises(ConfigurationError) as caught:
            check_account(
                "123456789012",
                moto_server.session(),
                BucketAddress("bucket"),
                endpoint_url=server.endpoint_url,
                sts_endpoint_url=moto_server.endpoint_url,
            )
        assert caught.value.code == code
        assert server.received[0].headers["x-amz-expected-bucket-owner"] == "123456789012"
        assert "x-amz-expected-bucket-owner" not in server.received[1].headers


def test_the_environment_names_an_endpoint() -> None:
    with run_canned(FINE) as server:
        session = AwsSession(
            environment={"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_ENDPOINT_URL_S3": server.endpoint_url}
        )
        assert put(S3Store(BucketAddress("bucket"), session), "a", b"x") == '"e"'
        assert server.received[0].path == "/bucket/a"


@pytest.mark.parametrize(
    ("wanted", "environment", "region"),
    [
        ("eu-west-1", {"AWS_REGION": "eu-west-2"}, "eu-west-1"),
        (None, {"AWS_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "eu-west-3"}, "eu-west-2"),
        (None, {"AWS_DEFAULT_REGION": "eu-west-3"}, "eu-west-3"),
        (None, {}, "us-east-1"),
    ],
)
def test_the_nearest_region_counts(wanted: str | None, environment: dict[str, str], region: str) -> None:
    assert AwsSession(region=wanted, environment={**environment, "AWS_CONFIG_FILE": "/nowhere"}).region == region


def test_site_and_records_share_their_connections(seaweedfs: S3Server) -> None:
    session = seaweedfs.session()
    bucket = seaweedfs.make_address().bucket
    stores = [
        S3Store(BucketAddress(bucket, prefix), session, endpoint_url=seaweedfs.endpoint_url) for prefix in ("share", "share/.sitepub")
    ]
    put(stores[1], "state.json", b"{}")
    assert body_of(stores[0], ".sitepub/state.json") == b"{}"
    assert stores[0]._lean is stores[1]._lean
    assert [store.requests for store in stores] == [1, 1]


def test_a_session_token_is_sent() -> None:
    with run_canned(FINE) as server:
        store = server.make_store(AWS_SESSION_TOKEN="of-a-role")
        put(store, "a", b"x")
        put(store, "a", b"x", ALL_HEADERS)
        assert [received.headers.get("x-amz-security-token") for received in server.received] == ["of-a-role"] * 2
