"""Sources that are missing, empty, shrunk, unreadable, unsafe, or that change meanwhile: one clear error, nothing written."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

from tests.commands.story import SITE, Story


def check_refused(story: Story, status: int, err: str, code: str, *words: str) -> None:
    """The whole of standard error, the same as JSON, and nothing written."""
    before = story.held()
    told = story.run("publish", *words, "--json", status=status)
    assert without_progress(told.err) == err
    error = told.json["error"]
    assert error["code"] == code
    assert err == f"error: {error['message']}\n" + (f"hint: {error['hint']}\n" if error["hint"] else "")
    assert story.held() == before


PROGRESS = re.compile(r"^(?:scanning|reading|rewriting|uploading|promoting) .*\n", re.MULTILINE)


def without_progress(err: str) -> str:
    return PROGRESS.sub("", err)


def test_a_missing_source(any_story: Story) -> None:
    (any_story.root / "public").rename(any_story.root / "elsewhere")
    check_refused(
        any_story,
        4,
        f"error: `{any_story.root}/public` is not there\nhint: run the build, or let `source` name the folder that it writes to\n",
        "no-source",
    )


def test_an_empty_source(story: Story) -> None:
    story.publish()
    for name in SITE:
        (story.root / "public" / name).unlink()
    hint = "hint: run the build, or let `source` name the folder that it writes to\n"
    check_refused(story, 4, f"error: `{story.root}/public` holds nothing to publish\n{hint}", "empty-source")


def test_a_source_that_is_a_file(story: Story) -> None:
    (story.root / "public").rename(story.root / "elsewhere")
    (story.root / "public").write_text("")
    hint = "hint: run the build, or let `source` name the folder that it writes to\n"
    check_refused(story, 4, f"error: `{story.root}/public` is not a folder\n{hint}", "no-source")


def test_a_source_that_shrank(story: Story) -> None:
    story.write({f"page-{number}.html": f"<p>{number}" for number in range(60)})
    story.publish()
    for number in range(19, 60):
        (story.root / "public" / f"page-{number}.html").unlink()
    message = "error: the source has 25 files, the live release has 66: this would take 41 of them off the site\n"
    check_refused(story, 1, f"{message}hint: check the build; `--allow shrink` publishes it all the same\n", "source-shrank")
    assert story.run("plan", status=1).err.endswith(f"{message}hint: check the build; `--allow shrink` publishes it all the same\n")
    assert story.publish("--allow", "shrink", "--dry-run")["summary"]["removed"] == 41
    assert story.publish("--allow", "shrink")["summary"]["removed"] == 41
    assert "page-19.html" not in story.site()


def test_twenty_files_fewer_are_no_shrinking(story: Story) -> None:
    story.write({f"page-{number}.html": f"<p>{number}" for number in range(20)})
    story.publish()
    for number in range(20):
        (story.root / "public" / f"page-{number}.html").unlink()
    assert story.publish()["summary"]["removed"] == 20


def test_names_that_look_like_secrets(any_story: Story) -> None:
    any_story.write({".env": "TOKEN=1", "keys/site.pem": "x", "id_rsa": "x"})
    err = """\
error: 3 problems:
  `.env` looks like a secret
  `id_rsa` looks like a secret
  `keys/site.pem` looks like a secret
hint: take them out of the source: `ignore:` leaves them out, `allow:` publishes them
"""
    check_refused(any_story, 1, err, "looks-like-secret")
    any_story.configure('ignore: ["/id_rsa", ".env"]\nallow: ["keys/*.pem"]\n')
    any_story.publish()
    assert {"keys/site.pem", "id_rsa", ".env"} & set(any_story.site()) == {"keys/site.pem"}


def test_names_that_no_target_can_hold(any_story: Story) -> None:
    long = "/".join(["n" * 200] * 6)
    any_story.write({"tab\there.html": "x", f"{long}.html": "x"})
    told = any_story.run("publish", status=1)
    assert any_story.held() == {}
    assert without_progress(told.err).splitlines() == [
        "error: 2 problems:",
        "  `tab\\there.html` holds a control character",
        f"  `{long[:60]}…` is 1,210 bytes long, and 1,024 are the most",
        "hint: rename such files, or name them in `ignore:`",
    ]


COLLIDING = {"Über.html": "<p>composed", "U\u0308ber.html": "<p>decomposed", "Team.html": "<p>A", "team.html": "<p>b"}


def test_names_that_collide_are_refused_in_a_folder(story: Story) -> None:
    story.write(COLLIDING)
    err = """\
error: 2 problems:
  `Team.html` and `team.html` differ only by case
  `U\u0308ber.html` and `Über.html` differ only in their Unicode form
hint: rename such files, or name them in `ignore:`
"""
    check_refused(story, 1, err, "bad-names")


def test_names_that_collide_are_warned_of_on_s3(bucket_story: Story) -> None:
    bucket_story.write(COLLIDING)
    differ = "`Team.html` and `team.html` differ only by case, `U\u0308ber.html` and `Über.html` differ only in their Unicode form"
    assert bucket_story.publish()["warnings"] == [f"{differ}: on a disk that ignores this they are one file"]
    assert set(COLLIDING) <= set(bucket_story.site())


def test_pointers_of_git_lfs_are_warned_of(story: Story) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
    story.write({f"img/{number}.png": pointer for number in range(11)} | {"late.css": pointer, "like.png": f"# {pointer}"})
    for told in (story.publish(), story.publish()):
        (message,) = told["warnings"]
        assert message.startswith("12 files are pointers of Git LFS, not the files themselves: `img/0.png`, ")
        assert message.endswith(" and 2 more; `git lfs pull`, and build again")
    story.write({f"img/{number}.png": f"picture {number}" for number in range(11)} | {"late.css": "p {}"})
    assert story.publish()["warnings"] == []
    story.write({"img/0.png": pointer})
    told = story.run("publish").err
    assert "`img/0.png` is a pointer of Git LFS, not the file itself; `git lfs pull`, and build again" in told


def test_links_that_leave_the_source(any_story: Story) -> None:
    secret = any_story.root / "secret.html"
    secret.write_text("<p>secret")
    (any_story.root / "public/secret.html").symlink_to(secret)
    (any_story.root / "public/inside.html").symlink_to("about.html")
    err = f"error: `secret.html` leads out of the source, to `{secret}`\nhint: `links: follow` publishes what such links lead to\n"
    check_refused(any_story, 1, err, "link-leaves-source")
    any_story.configure("links: follow\n")
    any_story.publish()
    assert any_story.site()["secret.html"] == "<p>secret"
    assert any_story.site()["inside.html"] == SITE["about.html"]


def test_files_that_are_none(story: Story) -> None:
    public = story.root / "public"
    os.mkfifo(public / "pipe.html")
    with socket.socket(socket.AF_UNIX) as listening:
        here = Path.cwd()
        os.chdir(public)
        try:
            listening.bind("socket")
        finally:
            os.chdir(here)
        (public / "loop").symlink_to("loop")
        (public / "gone.html").symlink_to("nowhere.html")
        (public / "docs/up").symlink_to("..")
        err = f"""\
error: 5 problems:
  `docs/up` is a link that leads in a circle, to `{public}`
  `gone.html` is a link that leads nowhere: no such file or directory
  `loop` is a link that leads nowhere: too many levels of symbolic links
  `pipe.html` is a pipe, not a file
  `socket` is a socket, not a file
hint: mend them, or name them in `ignore:`
"""
        check_refused(story, 4, err, "unreadable-source")


POWERLESS = """
import ctypes, os, sys
for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH: what lets root read every file
    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
os.execv(sys.executable, [sys.executable, "-m", "sitepub", *sys.argv[1:]])
"""


def test_files_that_may_not_be_read(story: Story) -> None:
    story.write({"closed/index.html": "<p>"})
    (story.root / "public/about.html").chmod(0)
    (story.root / "public/closed").chmod(0)
    told = story.run("publish", status=4, launcher=POWERLESS)
    assert story.held() == {}
    (story.root / "public/closed").chmod(0o700)
    assert (
        told.err
        == """\
error: 2 problems:
  `about.html` can't be read: permission denied
  `closed` can't be read: permission denied
hint: mend them, or name them in `ignore:`
"""
    )


def test_a_file_that_changes_while_it_is_read(story: Story) -> None:
    """Something writes to it between two reads of ours."""
    story.write({"growing.html": "<p>" * 3_000_000})
    launcher = """
import os, threading
import sitepub.local.source as source
real = source._read
def read(descriptor, length):
    body = real(descriptor, length)
    if length > 1_000_000:
        with open("public/growing.html", "ab") as file:
            file.write(b"more")
    return body
source._read = read
from sitepub.cli import main
main()
"""
    told = story.run("publish", status=4, launcher=launcher)
    assert story.held() == {}
    message = "error: `growing.html` changed while it was being read\n"
    assert without_progress(told.err) == f"{message}hint: wait for the build to finish, then run it again\n"
    story.publish()
    assert story.site()["growing.html"].endswith("more")
