"""`sitepub invalidate`: by hand, within the same quota, and what is owed."""

from __future__ import annotations

import pytest

from tests.commands.conftest import Distribution
from tests.commands.story import Story
from tests.commands.test_cloudfront import IMPATIENT, throttling
from tests.support.servers import S3Server


def test_paths_by_hand_and_what_is_owed(cloud_story: Story, distribution: Distribution, moto_server: S3Server) -> None:
    refused = cloud_story.run("invalidate", "/a", status=1)
    assert "nothing was published to target `there` yet" in refused.err
    assert cloud_story.held() == {}
    cloud_story.publish()
    planned = cloud_story.json("invalidate", "docs/index.html", "/img/*", "--dry-run")
    used = planned["invalidation"]["used_this_month"]
    assert (planned["target"], planned["dry_run"]) == ("there", True)
    assert planned["invalidation"]["items"] == ["/docs/", "/docs/index.html", "/img/*"]
    assert (planned["invalidation"]["state"], planned["invalidation"]["id"], distribution.invalidations()) == ("none", None, [])
    done = cloud_story.json("invalidate", "docs/index.html", "/img/*", "--wait")
    assert (done["invalidation"]["state"], done["invalidation"]["used_this_month"]) == ("completed", used + 3)
    assert distribution.invalidations() == [["/docs/", "/docs/index.html", "/img/*"]]
    cloud_story.json("invalidate", "docs/index.html", "/img/*")
    assert len(distribution.invalidations()) == len(set(distribution.references())) == 2
    assert cloud_story.json("status")["owed"] == []
    assert cloud_story.run("invalidate").out == "there: nothing is owed\n"

    good = cloud_story.target
    with throttling(moto_server.endpoint_url) as endpoint_url:
        cloud_story.target = good.replace(f"cdn_endpoint_url: {moto_server.endpoint_url}", f"cdn_endpoint_url: {endpoint_url}")
        cloud_story.configure()
        owing = cloud_story.json("invalidate", "/about.html", status=8, launcher=IMPATIENT)
        assert (owing["invalidation"]["state"], owing["invalidation"]["items"]) == ("owed", ["/about.html"])
        assert cloud_story.json("status")["owed"] == ["/about.html"]
    cloud_story.target = good
    cloud_story.configure()
    assert cloud_story.json("invalidate", "--dry-run")["invalidation"]["items"] == ["/about.html"]
    sent = cloud_story.json("invalidate")
    assert sent["invalidation"]["items"] == ["/about.html"]
    assert distribution.invalidations()[-1] == ["/about.html"]
    assert cloud_story.json("status")["owed"] == []


@pytest.mark.parametrize("words", [("/a*b",), ("",)])
def test_what_names_nothing_is_a_usage_error(cloud_story: Story, words: tuple[str, ...]) -> None:
    cloud_story.publish()
    assert "is no path that can be invalidated" in cloud_story.run("invalidate", *words, status=2).err


def test_a_target_without_a_distribution_owes_nothing_and_takes_no_paths(story: Story) -> None:
    story.publish()
    assert "target `there` has no distribution to invalidate" in story.run("invalidate", "/", status=4).err
    assert story.json("invalidate")["invalidation"]["state"] == "none"
