"""What a publish invalidates at CloudFront, and what becomes of an invalidation that CloudFront does not take."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.commands.conftest import Distribution
from tests.commands.story import SITE, STYLE, Story
from tests.support.servers import S3Server, find_free_ports

IMPATIENT = """
import sitepub.aws.cloudfront as cloudfront, sitepub.aws.session as session
cloudfront.PATIENCE_SECONDS = cloudfront._LOOKING_SECONDS = 0.1
session.AwsSession.__init__.__kwdefaults__["attempts"] = 1
from sitepub.cli import main
main()
"""
"""Five minutes of patience are cut short; all else is as ever."""


def test_changed_entries_are_invalidated_and_nothing_else(cloud_story: Story, distribution: Distribution) -> None:
    first = cloud_story.publish()
    nothing = {"items": [], "collateral": 0, "state": "none", "id": None, "used_this_month": None, "free_paths": None}
    assert first["invalidation"] == nothing
    assert distribution.invalidations() == []

    cloud_story.write({"app.css": STYLE + "p {}\n", "new.html": "<p>new</p>"})
    items = ["/", "/docs/", "/docs/index.html", "/index.html"]
    plan = cloud_story.json("plan")
    used = plan["invalidation"]["used_this_month"]
    assert {name: plan["invalidation"][name] for name in nothing} == {
        **nothing,
        "items": items,
        "used_this_month": used,
        "free_paths": 1000,
    }
    second = cloud_story.publish()
    sent = second["invalidation"]
    assert (sent["items"], sent["collateral"], sent["used_this_month"], sent["free_paths"]) == (items, 0, used + 4, 1000)
    assert sent["state"] in ("submitted", "completed") and sent["id"]
    assert distribution.invalidations() == [items]
    assert second["requests"]["store"] == plan["requests"]["store"]
    assert second["requests"]["cdn"] <= plan["requests"]["cdn"]

    (cloud_story.root / "public/about.html").unlink()
    cloud_story.configure("headers:\n  - {match: robots.txt, set: {Content-Language: en}}\n")
    third = cloud_story.publish("--wait")
    assert third["invalidation"]["items"] == ["/about.html", "/robots.txt"]
    assert third["invalidation"]["state"] == "completed"

    again = cloud_story.publish()
    assert (again["release"], again["invalidation"], again["requests"]) == (None, nothing, {"store": 1, "cdn": 0})
    assert distribution.invalidations() == [items, ["/about.html", "/robots.txt"]]
    assert len(set(distribution.references())) == 2


def test_a_shared_ledger_tells_of_what_was_sent_and_a_bucket_that_is_missing_stops_the_publish(
    cloud_story: Story, distribution: Distribution, moto_server: S3Server
) -> None:
    bucket = moto_server.make_bucket()
    cloud_story.configure(target=f"ledger: s3://{bucket}/paths")
    cloud_story.publish()
    cloud_story.write({"about.html": "<p>changed"})
    plan = cloud_story.json("plan")
    done = cloud_story.publish()
    assert done["requests"]["store"] == plan["requests"]["store"]
    sent = done["invalidation"]
    stored = json.loads(moto_server.client().get_object(Bucket=bucket, Key="paths/ledger.json")["Body"].read())
    name, (_, paths) = list(stored["ledger"]["recent"].items())[-1]
    assert (name, paths, stored["reserved"]) == (f"{distribution.id}/{sent['id']}", 1, {})
    assert "shared-ledger" in cloud_story.json("doctor", status=6)["fine"]

    cloud_story.configure(target="ledger: s3://missing-ledger-bucket/paths")
    cloud_story.write({"about.html": "<p>changed again"})
    assert cloud_story.json("publish", status=4)["error"]["code"] == "no-bucket"
    assert cloud_story.held()["about.html"] == b"<p>changed"
    assert "no-bucket" in [each["code"] for each in cloud_story.json("doctor", status=6)["findings"]]


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("directory", ["/", "/about.html", "/docs/", "/docs/index.html", "/index.html"]),
        ("file", ["/", "/about.html", "/docs/index.html", "/index.html"]),
        ("both", ["/", "/about.html", "/docs", "/docs/", "/docs/index.html", "/index.html"]),
    ],
)
def test_urls_of_pages_follow_the_url_style(cloud_story: Story, style: str, expected: list[str]) -> None:
    cloud_story.configure(target=f"url_style: {style}")
    cloud_story.publish()
    pages = [name for name in SITE if name.endswith(".html")]
    cloud_story.write({name: f"{SITE[name]}<p>changed" for name in pages})
    assert cloud_story.json("plan")["invalidation"]["items"] == expected
    assert cloud_story.publish()["invalidation"]["items"] == expected


def test_urls_start_at_the_path_of_the_site(cloud_story: Story, distribution: Distribution) -> None:
    cloud_story.configure(target="url: https://www.example.com/handbook/")
    cloud_story.write({"index.html": "<p>Front", "über uns.html": "<p>Us", "docs/index.html": "<p>Docs"})
    cloud_story.publish()
    cloud_story.write({"index.html": "<p>Front page", "über.html": "<p>new", "docs/index.html": "<p>The docs"})
    expected = ["/handbook/", "/handbook/docs/", "/handbook/docs/index.html", "/handbook/index.html"]
    assert cloud_story.publish()["invalidation"]["items"] == expected
    cloud_story.write({"über.html": "<p>changed"})
    assert cloud_story.publish()["invalidation"]["items"] == ["/handbook/%C3%BCber.html"]


def test_an_invalidation_that_cloudfront_does_not_take_is_owed_and_sent_next_time(
    cloud_story: Story, distribution: Distribution, moto_server: S3Server
) -> None:
    cloud_story.publish()
    cloud_story.write({"about.html": "<p>changed"})
    with throttling(moto_server.endpoint_url) as endpoint_url:
        cloud_story.target = cloud_story.target.replace(
            f"cdn_endpoint_url: {moto_server.endpoint_url}", f"cdn_endpoint_url: {endpoint_url}"
        )
        cloud_story.configure()
        owing = cloud_story.publish(status=8, launcher=IMPATIENT)
        assert owing["release"] is not None
        assert owing["invalidation"]["state"] == "owed" and owing["invalidation"]["id"] is None
        assert owing["invalidation"]["items"] == ["/about.html"]
        reason = f"distribution `{distribution.id}` did not accept the invalidation of 1 path: Throttling: Rate exceeded"
        assert owing["warnings"] == [f"the invalidation of 1 path is owed: {reason}"]
        assert cloud_story.site()["about.html"] == "<p>changed"
        assert cloud_story.json("status")["owed"] == ["/about.html"]
        told = cloud_story.run("publish", status=8, launcher=IMPATIENT)
        assert told.out.splitlines()[-1] == f"the invalidation of 1 path (/about.html) is owed: {reason}; the next publish sends it"
        assert cloud_story.run("publish", "-q", status=8, launcher=IMPATIENT).out == ""
    cloud_story.target = cloud_story.target.replace(endpoint_url, moto_server.endpoint_url)
    cloud_story.configure()
    assert cloud_story.json("plan")["invalidation"]["items"] == ["/about.html"]
    paid = cloud_story.publish()
    assert (paid["release"], paid["invalidation"]["items"]) == (None, ["/about.html"])
    assert distribution.invalidations() == [["/about.html"]]
    assert cloud_story.json("status")["owed"] == []
    assert cloud_story.publish()["requests"] == {"store": 1, "cdn": 0}


def test_what_is_owed_is_sent_together_with_what_changed_since(cloud_story: Story, distribution: Distribution) -> None:
    cloud_story.publish()
    cloud_story.write({"about.html": "<p>changed"})
    good = cloud_story.target
    (port,) = find_free_ports(1)
    cloud_story.target = "\n".join(
        line if not line.startswith("cdn_") else f"cdn_endpoint_url: http://127.0.0.1:{port}" for line in good.splitlines()
    )
    cloud_story.configure()
    owing = cloud_story.publish(status=8, launcher=IMPATIENT)
    assert owing["invalidation"]["state"] == "owed"
    unreachable = f"distribution `{distribution.id}`: the server can't be reached"
    assert owing["warnings"][0] == (
        f"{unreachable}: what to invalidate is chosen by `url_style` alone, without its error pages and functions"
    )
    cloud_story.target = good
    cloud_story.configure()
    cloud_story.write({"robots.txt": "changed"})
    assert cloud_story.publish()["invalidation"]["items"] == ["/about.html", "/robots.txt"]
    assert distribution.invalidations() == [["/about.html", "/robots.txt"]]


@pytest.mark.parametrize("published", [False, True], ids=["first publish", "later publish"])
def test_an_unknown_distribution_stops_before_anything_is_written(cloud_story: Story, distribution: Distribution, published: bool) -> None:
    if published:
        cloud_story.publish()
        cloud_story.write({"about.html": "<p>changed"})
    before = cloud_story.held()
    cloud_story.target = cloud_story.target.replace(distribution.id, "E000000000NONE")
    cloud_story.configure()
    stopped = cloud_story.run("publish", status=4)
    assert error_lines(stopped.err) == [
        "error: there is no distribution `E000000000NONE` in this account",
        "hint: correct `distribution:`, or use the credentials of its account; `distribution: none` publishes without one",
    ]
    assert cloud_story.held() == before


def test_a_distribution_of_none_is_never_asked(cloud_story: Story, distribution: Distribution) -> None:
    cloud_story.target = cloud_story.target.replace(distribution.id, "none")
    cloud_story.configure()
    cloud_story.publish()
    cloud_story.write({"about.html": "<p>changed"})
    done = cloud_story.publish()
    assert (done["invalidation"]["state"], done["invalidation"]["items"], done["requests"]["cdn"]) == ("none", [], 0)


def error_lines(err: str) -> list[str]:
    """From the error on: what was said on the way to it is told elsewhere."""
    return err[err.index("error: ") :].splitlines()


@contextmanager
def throttling(endpoint_url: str) -> Iterator[str]:
    """A way to CloudFront on which everything but a new invalidation passes."""
    import urllib.request

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with urllib.request.urlopen(urllib.request.Request(f"{endpoint_url}{self.path}", headers=dict(self.headers))) as answer:
                self.answer(answer.status, answer.read())

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = (
                b"<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"
            )
            self.answer(400, body)

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

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


def test_the_month_of_the_whole_account_decides_what_is_sent(cloud_story: Story, distribution: Distribution) -> None:
    cloud_story.publish()
    distribution.client.create_invalidation(
        DistributionId=distribution.id, InvalidationBatch={"Paths": {"Quantity": 2, "Items": ["/x", "/y"]}, "CallerReference": "other tool"}
    )
    used = cloud_story.json("status")["invalidation"]["used_this_month"]
    assert used >= 2
    cloud_story.write({"about.html": "<p>changed", "docs/index.html": "<p>changed"})
    before = cloud_story.held()

    cloud_story.configure(f"invalidation: {{free_paths: {used + 1}, when_spent: fail}}\n")
    refused = cloud_story.run("publish", status=1)
    assert f"2 paths are needed, 1 of {used + 1:,} are left this month" in refused.err
    assert cloud_story.held() == before

    cloud_story.configure(f"invalidation: {{free_paths: {used + 1}, when_spent: defer}}\n")
    owing = cloud_story.publish(status=8)
    assert owing["invalidation"]["items"] == ["/about.html", "/docs/*"]
    assert (owing["invalidation"]["state"], owing["invalidation"]["used_this_month"]) == ("owed", used)
    assert cloud_story.json("status")["owed"] == ["/about.html", "/docs/*"]

    cloud_story.configure(f"invalidation: {{free_paths: {used + 1}, when_spent: wildcard}}\n")
    paid = cloud_story.publish()
    assert (paid["release"], paid["invalidation"]["items"], paid["invalidation"]["collateral"]) == (None, ["/*"], 6)
    assert paid["invalidation"]["used_this_month"] == used + 1
    assert distribution.invalidations()[-1] == ["/*"]

    cloud_story.write({"about.html": "<p>again", "docs/index.html": "<p>again"})
    cloud_story.configure(f"invalidation: {{free_paths: {used + 1}, when_spent: pay}}\n")
    told = cloud_story.run("publish")
    assert "2 paths, 0 of them free: about $0.01" in told.err
    assert "/docs/* stands for 2 changed URLs" in told.out
    assert f"{used + 3:,} of {used + 1:,} this month" in told.out
    assert distribution.invalidations()[-1] == ["/about.html", "/docs/*"]


def test_a_site_whose_pages_edges_hardly_keep_asks_and_invalidates_nothing(cloud_story: Story, distribution: Distribution) -> None:
    cloud_story.configure("cache: {entries: 'public, max-age=0, s-maxage=30'}\n")
    cloud_story.publish()
    cloud_story.write({"about.html": "<p>changed"})
    done = cloud_story.publish()
    assert (done["invalidation"]["items"], done["invalidation"]["state"], done["requests"]["cdn"]) == ([], "none", 0)
    assert distribution.invalidations() == []


def test_status_tells_how_the_distribution_stands(cloud_story: Story, distribution: Distribution) -> None:
    found = cloud_story.json("status")["distribution"]
    domain = found.pop("domain")
    assert found == {
        "id": distribution.id,
        "status": "Deployed",
        "enabled": True,
        "aliases": [],
        "invalidations_in_progress": [],
        "certificate": None,
        "names": [],
        "drift": None,
    }
    assert f"distribution: {distribution.id} Deployed, {domain}" in cloud_story.run("status").out
    listed = cloud_story.json("status", "--all")["distributions"]
    (own,) = [each for each in listed if each["id"] == distribution.id]
    assert (own["domain"], own["targets"], own["aliases"]) == (domain, ["there"], [])


def test_a_distribution_that_can_not_be_asked_is_a_warning(cloud_story: Story, distribution: Distribution) -> None:
    cloud_story.target = cloud_story.target.replace(distribution.id, "ENOTTHERE")
    cloud_story.configure()
    done = cloud_story.run("status")
    assert "there is no distribution `ENOTTHERE` in this account" in done.err and "live: nothing yet" in done.out
