"""Targets that are not there, refuse, or hold what is not ours; credentials that are missing, partial, wrong or expired."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.commands.story import SITE, Story
from tests.commands.test_bad_source import check_refused, without_progress
from tests.support.servers import S3Server, find_free_ports

POLICY = "hint: `sitepub policy` prints the policy that is needed; a bucket policy may deny too\n"


def test_other_bytes_under_our_keys_are_refused(any_story: Story, seaweedfs: S3Server) -> None:
    theirs = {"index.html": b"theirs", "robots.txt": SITE["robots.txt"].encode(), "other.txt": b"other"}
    put(any_story, seaweedfs, theirs)
    where = "file:" + str(any_story.root / "out") if "file:" in any_story.target else any_story.target.split()[1]
    message = f"error: `{where}` already holds other content under 1 key of this site: `index.html`\n"
    check_refused(any_story, 1, f"{message}hint: `sitepub adopt` takes them over, `--allow foreign` overwrites them\n", "foreign-keys")
    assert any_story.run("plan", status=1).err.endswith("`--allow foreign` overwrites them\n")
    done = any_story.publish("--allow", "foreign")
    assert done["release"] and any_story.held()["other.txt"] == b"other"
    assert "<title>Front" in any_story.site()["index.html"]


def put(story: Story, server: S3Server, files: dict[str, bytes]) -> None:
    if "file:" in story.target:
        story.write(files, "out")
        return
    bucket, _, prefix = story.target.split()[1].removeprefix("s3://").partition("/")
    for name, body in files.items():
        server.client().put_object(Bucket=bucket, Key=f"{prefix}/{name}", Body=body)


def test_a_key_that_someone_edited_is_named_and_left_alone(any_story: Story, seaweedfs: S3Server) -> None:
    any_story.publish()
    put(any_story, seaweedfs, {"about.html": b"by hand"})
    any_story.write({"about.html": "<p>ours", "robots.txt": "ours"})
    told = any_story.run("publish", status=1)
    assert without_progress(told.err).splitlines()[-2:] == [
        "error: changed in the target by someone else: `about.html`; all other keys are up to date",
        "hint: `sitepub publish --allow foreign` overwrites them",
    ]
    assert (any_story.site()["about.html"], any_story.site()["robots.txt"]) == ("by hand", "ours")
    any_story.publish("--allow", "foreign")
    assert any_story.site()["about.html"] == "<p>ours"


def test_a_bucket_that_is_not_there(story: Story, seaweedfs: S3Server) -> None:
    story.target = f"store: s3://nobody-has-this/www\nendpoint_url: {seaweedfs.endpoint_url}"
    story.environment = seaweedfs.environment
    story.configure()
    err = "error: there is no bucket `nobody-has-this`\nhint: create it, run `sitepub up`, or correct `store:`\n"
    for command in ("plan", "publish", "status"):
        assert without_progress(story.run(command, status=4).err) == err
    assert story.publish(status=4)["error"]["code"] == "no-bucket"


def test_another_accounts_credentials_or_bucket(cloud_story: Story) -> None:
    cloud_story.configure(target='account: "210987654321"')
    err = (
        "error: the credentials are of account `123456789012`, not `210987654321`\nhint: use others, or correct `account:` in the target\n"
    )
    check_refused(cloud_story, 4, err, "wrong-account")
    cloud_story.configure(target='account: "123456789012"')
    assert cloud_story.publish()["release"]


def test_keys_that_the_server_does_not_know(bucket_story: Story) -> None:
    bucket_story.environment = {**bucket_story.environment, "AWS_ACCESS_KEY_ID": "AKIANOBODY"}
    where = bucket_story.target.split()[1]
    err = (
        f"error: `{where}/.sitepub/state.json`: AWS does not know the access key\nhint: look at `AWS_ACCESS_KEY_ID`, or name a `profile:`\n"
    )
    check_refused(bucket_story, 4, err, "unknown-credentials")


def test_a_secret_key_that_does_not_fit(bucket_story: Story) -> None:
    bucket_story.environment = {**bucket_story.environment, "AWS_SECRET_ACCESS_KEY": "not-the-secret"}
    where = bucket_story.target.split()[1]
    hint = "hint: look at `AWS_SECRET_ACCESS_KEY`: a space or a line end at its edge is enough\n"
    err = f"error: `{where}/.sitepub/state.json`: the secret key does not fit the access key\n{hint}"
    check_refused(bucket_story, 4, err, "wrong-signature")


NO_KEYS = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}


def test_no_credentials(bucket_story: Story) -> None:
    bucket_story.environment = {**bucket_story.environment, **NO_KEYS}
    where = bucket_story.target.split()[1]
    hint = "hint: set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or name a `profile:` in the target\n"
    check_refused(bucket_story, 4, f"error: `{where}/.sitepub/state.json`: no AWS credentials were found\n{hint}", "no-credentials")


@pytest.mark.parametrize("missing", list(NO_KEYS))
def test_half_a_pair_of_keys(bucket_story: Story, missing: str) -> None:
    bucket_story.environment = {**bucket_story.environment, missing: ""}
    where = bucket_story.target.split()[1]
    hint = "hint: an access key needs its secret key: set both, or neither\n"
    check_refused(
        bucket_story, 4, f"error: `{where}/.sitepub/state.json`: the AWS credentials are incomplete\n{hint}", "partial-credentials"
    )


def test_a_profile_that_is_not_there(bucket_story: Story) -> None:
    bucket_story.configure(target="profile: nobody")
    err = "error: there is no AWS profile `nobody`\nhint: `aws configure list-profiles` lists them\n"
    check_refused(bucket_story, 4, err, "no-profile")


@pytest.mark.parametrize(
    ("status", "code", "err"),
    [
        (
            400,
            "ExpiredToken",
            "the credentials have expired\nhint: get new ones, for example with `aws sso login`; in CI, ask for a longer session\n",
        ),
        (403, "AccessDenied", f"these credentials may not use `s3:GetObject`\n{POLICY}"),
        (403, "RequestTimeTooSkewed", "this machine's clock differs too much from the server's\nhint: set the clock, for example by NTP\n"),
    ],
    ids=lambda value: value if str(value).isalnum() else "",
)
def test_what_a_server_refuses_is_explained(story: Story, status: int, code: str, err: str) -> None:
    with refusing(status, code) as endpoint_url:
        story.target = f"store: s3://bucket/www\nendpoint_url: {endpoint_url}"
        story.environment = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}
        story.configure()
        told = story.run("publish", status=4)
    assert without_progress(told.err) == f"error: `s3://bucket/www/.sitepub/state.json`: {err}"


def test_a_bucket_in_another_region(story: Story) -> None:
    with refusing(301, "PermanentRedirect") as endpoint_url:
        story.target = f"store: s3://bucket/www\nendpoint_url: {endpoint_url}\nregion: eu-central-1"
        story.environment = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}
        story.configure()
        told = story.run("publish", status=4)
    err = "error: the bucket `bucket` is not in `eu-central-1`\nhint: set `region: …` in the target\n"
    assert without_progress(told.err) == err


def test_no_network(story: Story) -> None:
    (port,) = find_free_ports(1)
    story.target = f"store: s3://bucket/www\nendpoint_url: http://127.0.0.1:{port}"
    story.environment = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}
    story.configure()
    err = "error: `s3://bucket/www/.sitepub/state.json`: the server refuses connections\nhint: check the network, `endpoint_url` and `region`\n"
    check_refused(story, 4, err, "unreachable")
    assert story.run("status", status=4).err == err


def test_a_folder_that_is_a_file(story: Story) -> None:
    (story.root / "out").write_text("a file")
    told = story.run("publish", status=4)
    assert without_progress(told.err) == f"error: `file:{story.root}/out` is a file\nhint: name a folder in `store:`\n"
    assert (story.root / "out").read_text() == "a file"


@contextmanager
def refusing(status: int, code: str) -> Iterator[str]:
    """A server with one answer to all."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>".encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = answer

        def log_message(self, *_: object) -> None:
            return None

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
