"""Uploads that break off are gone on with, and a large file needs little memory: counted on the wire, in real processes."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from sitepub.aws.s3 import S3Store
from sitepub.aws.s3_headers import DIGEST_FIELD
from sitepub.aws.session import AwsSession
from sitepub.core.model import Digest, Key
from sitepub.errors import SitepubError
from sitepub.interfaces import Absent, FileBody
from tests.commands.story import Story, hold_folder
from tests.fire.test_kills import end_at
from tests.support.builders import CSS, HTML
from tests.support.fault_proxy import Fault, Script, Seen, end_after
from tests.support.servers import ENVIRONMENT, S3Server

MIB = 1024 * 1024
MEMORY = 256 * MIB
Tally = Callable[[str, int], None]


def write_file(path: Path, mib: int) -> FileBody:
    chance = random.Random(mib)
    with path.open("wb") as file:
        for _ in range(mib):
            file.write(chance.randbytes(MIB))
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileBody(path, mib * MIB, Digest(digest))


@pytest.mark.parametrize("place", ["seaweedfs", "moto"])
@pytest.mark.parametrize("arrived", [3, 5, 7])
def test_parts_that_arrived_are_not_sent_again(
    seaweedfs: S3Server, moto_server: S3Server, proxies: tuple[str, str], script: Script, tmp_path: Path, place: str, arrived: int
) -> None:
    """Seven parts; the connection is gone after some requests, the headers have changed until the next try."""
    server = {"seaweedfs": seaweedfs, "moto": moto_server}[place]
    url, address = proxies[place == "moto"], server.make_address()
    body = write_file(tmp_path / "large", 55)
    key = Key(f"a.{body.digest[:12]}.css")
    first = S3Store(address, AwsSession(environment=ENVIRONMENT, attempts=1), endpoint_url=url, attempts=1)
    script.begin(end_after(4 + arrived))
    with pytest.raises(SitepubError):
        first.put(key, body, HTML, digest=body.digest, expect=Absent())
    parts = [seen for seen in script.seen if seen.method == "PUT" and seen.status == 200]
    assert parts
    script.begin()
    second = S3Store(address, AwsSession(environment=ENVIRONMENT), endpoint_url=url)
    second.put(key, body, CSS, digest=body.digest, expect=Absent())
    sent = sum(seen.received for seen in script.seen if seen.method == "PUT")
    assert sent == body.size - sum(seen.received for seen in parts)
    head = second.head(key)
    assert head is not None
    assert (head.size, head.digest, head.headers) == (body.size, body.digest, CSS)
    assert not server.client().list_multipart_uploads(Bucket=address.bucket, Prefix=address.prefix).get("Uploads")


@pytest.mark.parametrize("name", ["chunk.js", "a.{digest}.js"])
def test_what_broke_off_of_other_bytes_spoils_nothing(
    seaweedfs: S3Server, proxies: tuple[str, str], script: Script, tmp_path: Path, name: str
) -> None:
    """The run that sends the other bytes is gone too as soon as the key stands."""
    address = seaweedfs.make_address()
    session = AwsSession(environment=ENVIRONMENT, attempts=1)
    store = S3Store(address, session, endpoint_url=proxies[0], attempts=1)
    old, new = write_file(tmp_path / "old", 41), write_file(tmp_path / "new", 42)
    new = replace(new, size=old.size)
    with new.path.open("r+b") as file:
        file.truncate(old.size)
        new = replace(new, digest=Digest(hashlib.file_digest(file, "sha256").hexdigest()))
    key = Key(name.format(digest=new.digest[:12]))
    client = seaweedfs.client()
    full_key = store.place(key).full_key
    begun = [
        client.create_multipart_upload(Bucket=address.bucket, Key=full_key, Metadata={DIGEST_FIELD: digest})["UploadId"]
        for digest in ([old.digest, old.digest] if name == "chunk.js" else [new.digest, new.digest])
    ]
    with old.path.open("rb") as file:
        for upload in begun:
            client.upload_part(Bucket=address.bucket, Key=full_key, UploadId=upload, PartNumber=1, Body=file.read(8 * MIB))
            client.upload_part(Bucket=address.bucket, Key=full_key, UploadId=upload, PartNumber=9, Body=b"stale")
    is_standing = False

    def die_once_it_stands(seen: Seen) -> Fault | None:
        nonlocal is_standing
        is_over, is_standing = is_standing, is_standing or (seen.method == "POST" and "uploadId=" in seen.path)
        return Fault.RESET if is_over else None

    script.begin(die_once_it_stands)
    with suppress(SitepubError):
        store.put(key, new, CSS, digest=new.digest, expect=Absent())
    assert is_standing
    script.begin()
    head = store.head(key)
    assert head is not None
    assert (head.size, head.digest) == (new.size, new.digest)
    stood = client.get_object(Bucket=address.bucket, Key=full_key)["Body"]
    assert hashlib.sha256(stood.read()).hexdigest() == new.digest


@pytest.mark.parametrize("name", ["chunk.js", "a.{digest}.js"])
def test_uploads_that_broke_off_do_not_pile_up(seaweedfs: S3Server, tmp_path: Path, name: str) -> None:
    address = seaweedfs.make_address()
    store = S3Store(address, AwsSession(environment=ENVIRONMENT), endpoint_url=seaweedfs.endpoint_url)
    body = write_file(tmp_path / "large", 12)
    key = Key(name.format(digest=body.digest[:12]))
    for full_key in [store.place(key).full_key] * 3 + [store.place(Key(f"{key}.map")).full_key]:
        seaweedfs.client().create_multipart_upload(Bucket=address.bucket, Key=full_key)
    store.put(key, body, CSS, digest=body.digest, expect=Absent())
    place = store.place(Key(""))
    left = seaweedfs.client().list_multipart_uploads(Bucket=address.bucket, Prefix=place.full_key).get("Uploads", [])
    assert [found["Key"] for found in left] == [store.place(Key(f"{key}.map")).full_key], "another file's is its own business"


@pytest.mark.parametrize("name", ["chunk.js", "a.{digest}.js"])
def test_only_an_upload_that_can_be_gone_on_with_is_left(
    seaweedfs: S3Server, proxies: tuple[str, str], script: Script, tmp_path: Path, name: str
) -> None:
    """One part is refused for good: what arrived is worth something only where the name says of which bytes it is."""
    address = seaweedfs.make_address()
    store = S3Store(address, AwsSession(environment=ENVIRONMENT, attempts=1), endpoint_url=proxies[0], attempts=1)
    body = write_file(tmp_path / "large", 25)
    key = Key(name.format(digest=body.digest[:12]))
    script.begin(lambda seen: Fault.RESET if "partNumber=3" in seen.path else None)
    with pytest.raises(SitepubError):
        store.put(key, body, CSS, digest=body.digest, expect=Absent())
    left = seaweedfs.client().list_multipart_uploads(Bucket=address.bucket, Prefix=address.prefix).get("Uploads", [])
    assert len(left) == (0 if name == "chunk.js" else 1)


def write_assets(story: Story, count: int) -> None:
    chance = random.Random(count)
    loads = "".join(f'<img src="img/{each}.png">' for each in range(count))
    story.write({"index.html": f"<!doctype html>{loads}", **{f"img/{each}.png": chance.randbytes(20_000) for each in range(count)}})


@pytest.mark.parametrize("is_first", [True, False], ids=["first publish", "later publish"])
def test_files_that_arrived_are_not_sent_again(story: Story, script: Script, tally: Tally, is_first: bool) -> None:
    """The process is killed half-way through its uploads."""
    import signal

    story.configure("fingerprint: {aliases: never}\n")
    if not is_first:
        story.write({"index.html": "<p>before"})
        story.publish()
    write_assets(story, 60)
    status = end_at(story, script, ["publish"], signal.SIGKILL, 40, 0)
    assert status == -signal.SIGKILL
    arrived = [key for key in story.held() if key.endswith(".png")]
    assert len(arrived) > 10
    script.begin()
    story.publish()
    again = {seen.path.rpartition("/")[2] for seen in script.seen if seen.method == "PUT" and seen.path.endswith(".png")}
    assert again.isdisjoint(key.rpartition("/")[2] for key in arrived)
    assert len(again) <= 60 - len(arrived)


MEASURING = """
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
_, status, used = os.wait4(pid, 0)
print(os.waitstatus_to_exitcode(status), used.ru_maxrss)
"""


def measure_peak(story: Story, *words: str) -> int:
    """Bytes. Started by a small process: the peak of a process begins with that of the one that started it."""
    command = [sys.executable, "-c", MEASURING, *story.command(*words)]
    done = subprocess.run(command, cwd=story.root, env=story.whole_environment(), stdout=subprocess.PIPE, text=True, check=True)
    status, kib = map(int, done.stdout.split())
    assert status == 0
    return kib * 1024


@pytest.mark.parametrize(
    ("place", "mib"),
    [("bucket", 300), *(pytest.param(*case, marks=pytest.mark.slow) for case in (("folder", 300), ("folder", 2048), ("bucket", 2048)))],
)
def test_a_large_file_needs_little_memory(story: Story, tmp_path: Path, tally: Tally, place: str, mib: int) -> None:
    """An asset that is sent in parts, and an entry that is kept and then copied by the server."""
    if place == "folder":
        story.target, story.held = "store: file:out", hold_folder(tmp_path / "out")
    story.configure("fingerprint: {aliases: never}\n")
    story.write({"index.html": '<!doctype html><video src="film.mp4"></video><a href="paper.zip">'})
    for name in ("film.mp4", "paper.zip"):
        with (story.root / "public" / name).open("wb") as file:
            file.truncate(mib * MIB)
    used = measure_peak(story, "publish")
    assert used < MEMORY
    tally(f"MiB of memory for 2 files of {mib} MiB to a {place}", used // MIB)
    if place == "folder":
        sizes = {path.name: path.stat().st_size for path in (tmp_path / "out").iterdir() if path.is_file()}
        assert sorted(sizes.values())[-2:] == [mib * MIB] * 2
