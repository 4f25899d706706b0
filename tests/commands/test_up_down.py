"""From nothing to a site and back, on MiniStack: its edge asks the bucket by our access control, runs our function, and takes headers away."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands.story import SITE, Story, hold_bucket
from tests.support.forks import ForkServer
from tests.support.ministack_server import MiniStack
from tests.support.servers import S3Server

BUCKET = "www-example-com"


@pytest.fixture
def cloud(tmp_path: Path, ministack: MiniStack, forks: ForkServer) -> Story:
    """A site, an account with a zone and nothing else."""
    ministack.client("route53").create_hosted_zone(Name="example.com", CallerReference="x")
    made = Story(
        tmp_path,
        target=f"store: s3://{BUCKET}\nregion: eu-central-1\nendpoint_url: {ministack.endpoint_url}\n"
        f"cdn_endpoint_url: {ministack.endpoint_url}\nurl: https://www.example.com/",
        environment=ministack.environment,
        held=hold_bucket(ministack.client("s3"), BUCKET),
        forks=forks,
    )
    made.write({**SITE, "404.html": "<!doctype html><title>Lost</title>\n"})
    made.configure("redirects:\n  - {from: /old/, to: /docs/, status: 302}\n")
    return made


PARTS = ("bucket", "access control", "edge function", "headers policy", "certificate", "distribution", "bucket policy")


def check_served(ministack: MiniStack, domain: str) -> None:
    """The site as visitors find it: pages, folders, redirects, what is missing, and nothing of our own."""
    page = ministack.visit(domain, "/")
    assert (page.status, page.body.count("app.")) == (200, 1)
    assert page.headers["x-frame-options"] == "SAMEORIGIN" and "strict-transport-security" in page.headers
    assert not [name for name in page.headers if name.startswith(("x-amz-meta", "x-amz-server-side"))]
    assert ministack.visit(domain, "/docs/").body == ministack.visit(domain, "/docs/index.html").body
    assert (ministack.visit(domain, "/docs").status, ministack.visit(domain, "/docs").headers["location"]) == (301, "/docs/")
    moved = ministack.visit(domain, "/old/?x=1")
    assert (moved.status, moved.headers["location"]) == (302, "/docs/?x=1")
    lost = ministack.visit(domain, "/nothing.html")
    assert (lost.status, "Lost" in lost.body) == (404, True)
    for hidden in ("/.sitepub/state.json", "/.sitepub%2Fstate.json", "//.sitepub/state.json", "/x/../.sitepub/state.json"):
        assert ministack.visit(domain, hidden).status != 200, hidden


def test_from_nothing_to_a_site_and_back(cloud: Story, ministack: MiniStack) -> None:
    before = ministack.everything()
    foreseen = cloud.json("up", "--dry-run")
    assert [step["kind"] for step in foreseen["steps"]] == [*PARTS, "DNS record", "DNS record"]
    assert {step["action"] for step in foreseen["steps"]} == {"create"}
    assert foreseen["distribution"] is None and foreseen["cost"]["usd_a_month"] < 0.01
    assert ministack.everything() == before
    refused = cloud.run("up", status=2)
    assert "`--yes` answers" in refused.err and "+ bucket s3://www-example-com" in refused.err
    assert ministack.everything() == before

    made = cloud.json("up", "--yes")
    assert made["warnings"] == []
    domain = made["distribution"]["domain"]
    (proof, *names) = ministack.everything()["records"]
    assert proof.startswith("_") and names == ["www.example.com A", "www.example.com AAAA"]
    again = cloud.json("up")
    assert {step["action"] for step in again["steps"]} == {"leave"} and again["distribution"] == made["distribution"]

    assert ministack.visit(domain, "/").status in (403, 404)
    first = cloud.publish()
    assert first["release"] and first["invalidation"]["items"] == []
    check_served(ministack, domain)

    cloud.write({"about.html": "<p>changed"})
    second = cloud.publish()
    # the edge function serves: the stored key's URL is all there is, and the distribution has cache tags
    assert len(second["invalidation"]["items"]) == 1 and second["invalidation"]["state"] in ("submitted", "completed")
    assert "changed" in ministack.visit(domain, "/about.html").body
    cloud.run("rollback")
    assert "About" in ministack.visit(domain, "/about.html").body

    full = cloud.run("down", "--yes", status=1)
    assert "is not empty" in full.err and "--delete-content" in full.err
    assert ministack.everything()["distributions"]
    gone = cloud.json("down", "--yes", "--delete-content")
    assert {step["action"] for step in gone["steps"]} == {"delete"}
    assert ministack.everything() == before
    assert cloud.json("down", "--yes")["steps"] == []


def test_status_tells_what_differs_from_the_configuration(cloud: Story, ministack: MiniStack) -> None:
    cloud.run("up", "--yes")
    cloud.publish()
    found = cloud.json("status")["distribution"]
    assert (found["status"], found["aliases"], found["drift"]) == ("Deployed", ["www.example.com"], [])
    assert found["certificate"]["status"] == "ISSUED" and found["invalidations_in_progress"] == []
    assert [each["name"] for each in found["names"]] == ["www.example.com"]
    cloud.configure("redirects:\n  - {from: /older/, to: /docs/}\n", target="price_class: PriceClass_100")
    told = cloud.run("status").out
    assert "differs from sitepub.yaml; `sitepub up` mends it:" in told
    assert "change edge function" in told and "PriceClass" in told
    cloud.run("up", "--yes")
    assert cloud.json("status")["distribution"]["drift"] == []
    cloud.write({"_redirects": "/elder/ /docs/ 302\n"})
    assert "change edge function" in cloud.run("status").out, "what a host's file redirects is the function's business too"
    cloud.run("up", "--yes")
    assert cloud.json("status")["distribution"]["drift"] == []


def test_down_keeps_the_bucket_and_up_takes_it_again(cloud: Story, ministack: MiniStack) -> None:
    cloud.run("up", "--yes")
    first = cloud.publish()["release"]
    cloud.run("down", "--yes", "--keep-bucket")
    left = ministack.everything()
    assert left.pop("buckets") == [BUCKET] and not any(left.values())
    assert cloud.json("status")["live"]["release"] == first
    policy = ministack.client("s3").get_bucket_policy(Bucket=BUCKET)["Policy"]
    assert "cloudfront.amazonaws.com" not in policy and "SitepubRecords" in policy
    domain = cloud.json("up", "--yes")["distribution"]["domain"]
    assert ministack.visit(domain, "/about.html").status == 200


def test_a_terminal_is_asked_for_the_buckets_name(cloud: Story, ministack: MiniStack) -> None:
    cloud.run("up", "--yes")
    cloud.publish()
    told = answer(cloud, "no-example-com\n", "down", "--delete-content")
    assert "type the bucket's name" in told and "that is not `www-example-com`" in told
    assert ministack.everything()["distributions"]
    assert "deleted" in answer(cloud, f"{BUCKET}\n", "down", "--delete-content")
    assert not any(ministack.everything().values())


def answer(cloud: Story, typed: str, *words: str) -> str:
    """On a terminal of its own."""
    program = (
        "import os, pty, sys\n"
        "typed = sys.argv[1].encode()\n"
        "pid, fd = pty.fork()\n"
        "if pid == 0:\n"
        "    os.execv(sys.executable, [sys.executable, '-m', 'sitepub', *sys.argv[2:]])\n"
        "out, sent = b'', False\n"
        "while True:\n"
        "    try:\n"
        "        chunk = os.read(fd, 4096)\n"
        "    except OSError:\n"
        "        break\n"
        "    if not chunk:\n"
        "        break\n"
        "    out += chunk\n"
        "    if b'name:' in out and not sent:\n"
        "        sent = True\n"
        "        os.write(fd, typed)\n"
        "os.waitpid(pid, 0)\n"
        "sys.stdout.buffer.write(out)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, typed, *words],
        cwd=cloud.root,
        env=cloud.whole_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        timeout=120,
    )
    return done.stdout.decode()


def test_a_server_without_cloudfront_gets_the_bucket(tmp_path: Path, seaweedfs: S3Server) -> None:
    bucket = f"made-by-up-{os.getpid()}"
    made = Story(
        tmp_path,
        target=f"store: s3://{bucket}\nendpoint_url: {seaweedfs.endpoint_url}\nurl: https://www.example.com/",
        environment=seaweedfs.environment,
    )
    made.write(SITE)
    made.configure()
    done = made.json("up", "--yes")
    assert [(step["action"], step["kind"]) for step in done["steps"]] == [
        ("create", "bucket"),
        ("skip", "distribution"),
        ("skip", "bucket policy"),
    ]
    assert "this server has no CloudFront" in done["steps"][1]["reason"] and done["distribution"] is None
    assert made.json("up")["steps"][0]["action"] == "leave"
    assert made.publish()["release"]
    assert made.run("down", "--yes", status=1).err.count("is not empty") == 1
    made.run("down", "--yes", "--delete-content")
    assert bucket not in [each["Name"] for each in seaweedfs.client().list_buckets()["Buckets"]]


def test_a_folder_and_contradictions_are_told(tmp_path: Path) -> None:
    made = Story(tmp_path)
    made.write(SITE)
    made.configure()
    for command in ("up", "down"):
        told = made.run(command, "--yes", status=4)
        assert "`there` is published to a folder, there is nothing to set up" in told.err
    assert "exclude each other" in made.run("down", "--keep-bucket", "--delete-content", status=2).err
    made.target = "store: s3://www-example-com\ndistribution: E190XXXXXL0LJU\ndistribution_config: x.json"
    made.configure()
    environment = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}
    assert "take one of the two away" in made.run("up", "--yes", status=4, environment=environment).err
