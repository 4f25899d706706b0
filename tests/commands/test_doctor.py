"""`sitepub doctor`: what is wrong, and what is only worth knowing. Writes nothing, whatever it finds."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from typing import Any

import pytest

from sitepub.aws.quota import count_month
from sitepub.local.clock import SystemClock
from tests.commands.conftest import Distribution
from tests.commands.spoiling import hand_of
from tests.commands.story import Story
from tests.commands.test_verify import served_as_stored, serving
from tests.support.fake_iam import run_fake_iam
from tests.support.servers import S3Server


def told(document: Mapping[str, Any], severity: str = "problem") -> list[str]:
    for finding in document["findings"]:
        assert set(finding) == {"code", "severity", "message", "hint"}
        assert finding["hint"], finding
    return [finding["code"] for finding in document["findings"] if finding["severity"] == severity]


def test_a_fresh_target_has_no_problem_and_is_left_as_it_is(any_story: Story) -> None:
    found = any_story.json("doctor")
    assert told(found) == []
    assert "not-managed" in told(found, "note")
    assert any_story.held() == {}


def test_a_published_target_is_fine_and_is_left_as_it_is(any_story: Story) -> None:
    any_story.publish()
    before = any_story.held()
    found = any_story.json("doctor")
    assert told(found) == []
    assert {"configuration", "source", "target", "writable", "state", "cache-policy"} <= set(found["fine"])
    assert found["checked"] == len(found["findings"]) + len(found["fine"])
    assert any_story.held() == before


def test_a_folder_without_a_distribution_needs_no_credentials(story: Story) -> None:
    story.configure(target="distribution: none")
    nobody = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": "", "AWS_EC2_METADATA_DISABLED": "true"}
    assert told(story.json("doctor", environment=nobody)) == []


def test_a_profile_that_is_not_there_is_a_problem(story: Story) -> None:
    story.target = "store: s3://www-example-com\nprofile: wrok"
    story.configure()
    found = story.json("doctor", status=6)
    assert set(told(found)) == {"no-profile"}


def test_every_line_of_text_says_how_grave_it_is_and_ends_with_a_count(story: Story) -> None:
    shutil.rmtree(story.root / "public")
    done = story.run("doctor", status=6)
    lines = done.out.splitlines()
    assert lines[0].startswith("ok      `sitepub.yaml`")
    assert any(line.startswith("problem ") and "public" in line for line in lines)
    assert lines[-1].startswith("1 problem, ")


def test_a_wrong_configuration_is_a_problem_with_its_line(story: Story) -> None:
    (story.root / "sitepub.yaml").write_text("source: public\ntargets:\n  there: {store: file:out, brunch: main}\n")
    found = story.json("doctor", status=6)
    assert "brunch" in found["findings"][0]["message"]
    (story.root / "sitepub.yaml").unlink()
    assert len(told(story.json("doctor", status=6))) == 1


@pytest.mark.parametrize("spoil", ["missing", "empty"])
def test_a_source_that_is_not_built_is_a_problem(story: Story, spoil: str) -> None:
    shutil.rmtree(story.root / "public")
    if spoil == "empty":
        (story.root / "public").mkdir()
    assert told(story.json("doctor", status=6)) == [f"{'no' if spoil == 'missing' else 'empty'}-source"]


def test_a_folder_that_may_not_be_written_is_a_problem(story: Story) -> None:
    if os.geteuid() == 0:
        # root may write anywhere but where a file is in the way
        (story.root / "out").write_text("a file")
        assert told(story.json("doctor", status=6)) == ["no-folder"]
        return
    story.publish()
    (story.root / "out/.sitepub").chmod(0o500)
    assert told(story.json("doctor", status=6)) == ["not-writable"]


def git(story: Story, *words: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main", *words],
        cwd=story.root,
        check=True,
        capture_output=True,
    )


def test_git_is_looked_at(story: Story) -> None:
    assert "no-repository" in told(story.json("doctor"), "note")
    story.configure(target="branch: main")
    assert told(story.json("doctor", status=6)) == ["no-repository"]
    git(story, "init", "-q")
    git(story, "add", "sitepub.yaml")
    git(story, "commit", "-qm", "one")
    found = story.json("doctor")
    assert "git" in found["fine"] and "no-repository" not in told(found, "note")
    git(story, "switch", "-qc", "other")
    with (story.root / "sitepub.yaml").open("a") as file:
        file.write("# changed\n")
    assert {"wrong-branch", "dirty-tree"} <= set(told(story.json("doctor"), "note"))


def test_changes_to_a_tracked_site_are_dirt_where_no_build_makes_them(story: Story) -> None:
    """As a publish takes them."""
    story.configure(target="branch: main")
    git(story, "init", "-q")
    git(story, "add", "--all")
    git(story, "commit", "-qm", "one")
    story.write({"about.html": "changed"})
    assert "dirty-tree" in told(story.json("doctor"), "note")
    story.configure("build: 'true'\n", target="branch: main")
    git(story, "commit", "-qm", "two", "sitepub.yaml")
    assert "dirty-tree" not in told(story.json("doctor"), "note")


def test_a_shallow_clone_is_noted(story: Story) -> None:
    for subject in ("one", "two"):
        if subject == "one":
            git(story, "init", "-q", "origin")
        git(story, "-C", "origin", "commit", "-q", "--allow-empty", "-m", subject)
    git(story, "clone", "-q", "--depth=1", f"file://{story.root}/origin", "clone")
    shutil.copytree(story.root / "public", story.root / "clone/public")
    shutil.copy(story.root / "sitepub.yaml", story.root / "clone/sitepub.yaml")
    assert "shallow-clone" in told(story.json("doctor", "-C", "clone"), "note")


def test_a_hook_that_git_passes_over_is_a_problem(story: Story) -> None:
    git(story, "init", "-q")
    git(story, "commit", "-q", "--allow-empty", "-m", "one")
    hook = story.root / ".git/hooks/pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nsitepub publish\n")
    hook.chmod(0o644)
    assert told(story.json("doctor", status=6)) == ["hook-not-executable"]
    hook.chmod(0o755)
    assert "hook" in story.json("doctor")["fine"]


def test_hooks_are_looked_for_where_git_does(story: Story) -> None:
    git(story, "init", "-q")
    git(story, "commit", "-q", "--allow-empty", "-m", "one")
    old = story.root / ".git/hooks/pre-push"
    old.parent.mkdir(exist_ok=True)
    old.write_text("#!/bin/sh\nsitepub publish\n")
    old.chmod(0o755)
    git(story, "config", "core.hooksPath", ".husky")
    (passed,) = [one for one in story.json("doctor", status=6)["findings"] if one["severity"] == "problem"]
    assert passed["code"] == "hook-passed-over" and str(old) in passed["message"] and ".husky" in passed["message"]
    old.unlink()
    hook = story.root / ".husky/pre-push"
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\nsitepub publish\n")
    hook.chmod(0o644)
    assert told(story.json("doctor", status=6)) == ["hook-not-executable"]
    hook.chmod(0o755)
    assert "hook" in story.json("doctor")["fine"]


def test_what_is_unfinished_or_owed_is_a_problem(cloud_story: Story) -> None:
    cloud_story.publish()
    cloud_story.write({"about.html": "changed"})
    die = "import os, sitepub.pipeline as p\np.promote = lambda *a: os._exit(9)\nfrom sitepub.cli import main\nmain()\n"
    cloud_story.run("publish", status=9, launcher=die)
    assert told(cloud_story.json("doctor", status=6)) == ["unfinished", "other-origin"]
    die = "import os, sitepub.pipeline as p\np.invalidate = lambda *a: os._exit(9)\nfrom sitepub.cli import main\nmain()\n"
    cloud_story.run("publish", status=9, launcher=die)
    assert told(cloud_story.json("doctor", status=6)) == ["owed", "other-origin"]


def test_a_distribution_of_another_bucket_without_an_error_page_is_noticed(cloud_story: Story, distribution: Distribution) -> None:
    found = cloud_story.json("doctor", status=6)
    assert told(found) == ["other-origin"]
    assert {"no-error-page"} <= set(told(found, "note"))
    assert {"distribution", "quota", "credentials"} <= set(found["fine"])
    cloud_story.target = cloud_story.target.replace(distribution.id, "ENOTTHERE")
    cloud_story.configure()
    assert told(cloud_story.json("doctor", status=6)) == ["no-distribution"]


def test_the_months_quota_is_counted(cloud_story: Story, distribution: Distribution) -> None:
    """Whatever the account's other distributions, those of other tests, used already."""
    paths = [f"/{number}" for number in range(9)]
    batch = {"Paths": {"Quantity": 9, "Items": paths}, "CallerReference": "nine"}
    distribution.client.create_invalidation(DistributionId=distribution.id, InvalidationBatch=batch)
    counted = count_month(distribution.client, SystemClock())
    used = counted.used if counted else None
    assert used is not None and used >= 9
    cloud_story.configure(f"invalidation: {{free_paths: {used}}}\n")
    assert "quota-spent" in told(cloud_story.json("doctor", status=6))
    cloud_story.configure(f"invalidation: {{free_paths: {used + 1}}}\n")
    assert "quota-low" in told(cloud_story.json("doctor", status=6), "note")
    cloud_story.configure(f"invalidation: {{free_paths: {2 * used}}}\n")
    assert "quota" in cloud_story.json("doctor", status=6)["fine"]


def test_the_account_is_compared(cloud_story: Story) -> None:
    cloud_story.configure(target='account: "111122223333"')
    assert "wrong-account" in told(cloud_story.json("doctor", status=6))
    cloud_story.configure(target='account: "123456789012"')
    assert "credentials" in cloud_story.json("doctor", status=6)["fine"]


def test_wrong_keys_and_a_server_that_is_not_there_are_problems(bucket_story: Story) -> None:
    bucket_story.publish()
    wrong = {"AWS_SECRET_ACCESS_KEY": "wrong"}
    assert len(told(bucket_story.json("doctor", status=6, environment=wrong))) == 1
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    endpoint = bucket_story.target.split("endpoint_url: ")[1]
    bucket_story.target = bucket_story.target.replace(endpoint, f"http://127.0.0.1:{port}")
    bucket_story.configure()
    assert told(bucket_story.json("doctor", status=6)) == ["unreachable"]


def test_records_that_everyone_can_read_are_a_problem(cloud_story: Story, moto_server: S3Server) -> None:
    """moto lets everyone read everything, so the first publish would refuse: it is put there by its own hand."""
    source = cloud_story.target
    cloud_story.target = "store: file:out"
    cloud_story.configure()
    cloud_story.held = dict
    cloud_story.publish()
    state = (cloud_story.root / "out/.sitepub/state.json").read_bytes()
    answers = {"/.sitepub/state.json": (200, {}, state)}
    with serving(answers) as url:
        cloud_story.configure(target=f"url: {url}")
        found = cloud_story.json("doctor", status=6)
    assert "records-are-public" in told(found)
    assert source


def test_the_site_as_served_is_looked_at(story: Story) -> None:
    story.publish()
    answers = served_as_stored(story)
    with serving(answers) as url:
        story.configure(target=f"url: {url}")
        story.publish()
        answers.update(served_as_stored(story))
        found = story.json("doctor")
        assert {"site", "records", "clock"} <= set(found["fine"])
        answers["/index.html"] = (200, {}, b"an older page")
        assert told(story.json("doctor", status=6)) == ["served-stale"]


def test_a_clock_that_is_off_is_noticed(story: Story) -> None:
    story.publish()
    shifted = (
        "import sitepub.local.clock as c, datetime as d\n"
        "real = c.SystemClock.now\n"
        "c.SystemClock.now = lambda self: real(self) + d.timedelta(seconds={})\n"
        "from sitepub.cli import main\nmain()\n"
    )
    with serving({}) as url:
        story.configure(target=f"url: {url}")
        for seconds, severity in ((3600, "problem"), (120, "note")):
            assert "clock-skew" in told(story.json("doctor", status=6, launcher=shifted.format(seconds)), severity)


def test_what_pages_cost_at_the_edges_is_explained(story: Story) -> None:
    story.configure("cache: {entries: 'public, max-age=600'}\n")
    assert "stale-without-distribution" in told(story.json("doctor"), "note")
    story.configure()
    assert "cache-policy" in story.json("doctor")["fine"]


def test_a_named_distribution_counts_though_the_state_can_not_be_read(cloud_story: Story) -> None:
    cloud_story.configure("cache: {entries: 'public, max-age=600'}\n")
    hand_of(cloud_story).put(".sitepub/state.json", b"{}")
    found = cloud_story.json("doctor", status=6)
    assert told(found) == ["damaged-state"]
    assert "cache-policy" in found["fine"] and "stale-without-distribution" not in told(found, "note")


def test_a_line_for_another_host_is_noted_with_its_own_way_out(story: Story) -> None:
    story.write({"_redirects": "/blog/* /news/:splat\n"})
    (note,) = [finding for finding in story.json("doctor")["findings"] if finding["code"] == "host-file"]
    assert note["message"].startswith("`_redirects` line 1: ") and "take this one away" in note["hint"]


def test_a_hand_edit_of_the_state_is_a_problem(any_story: Story) -> None:
    any_story.publish()
    hand_of(any_story).put(".sitepub/state.json", b"{}")
    assert told(any_story.json("doctor", status=6)) == ["damaged-state"]


def test_china_has_no_cache_tags(cloud_story: Story) -> None:
    cloud_story.configure("invalidation: {tags: always}\n")
    assert "no-cache-tags-there" not in told(cloud_story.json("doctor", status=6), "note")
    cloud_story.configure("invalidation: {tags: always}\n", target="region: cn-north-1")
    assert "no-cache-tags-there" in told(cloud_story.json("doctor", status=6), "note")


def test_each_missing_permission_is_named_with_what_grants_it(cloud_story: Story) -> None:
    with run_fake_iam() as iam:
        cloud_story.environment = {
            **cloud_story.environment,
            "AWS_ENDPOINT_URL_IAM": iam.endpoint_url,
            "AWS_ENDPOINT_URL_STS": iam.endpoint_url,
        }
        iam.policy = [each for each in cloud_story.json("policy")["Statement"] if each["Sid"] != "Invalidate"]
        found = cloud_story.json("doctor", status=6)
        (missing,) = [each for each in found["findings"] if each["code"] == "missing-permission"]
        assert "`cloudfront:CreateInvalidation`" in missing["message"] and '"Sid": "Invalidate"' in missing["hint"]
        iam.forbidden = frozenset({"SimulatePrincipalPolicy"})
        done = cloud_story.run("doctor", status=6)
        assert "permissions are not tried: these credentials may not call `iam:SimulatePrincipalPolicy`" in done.out


def test_what_up_and_down_lack_is_worth_a_line_and_no_problem(cloud_story: Story) -> None:
    with run_fake_iam() as iam:
        cloud_story.environment = {
            **cloud_story.environment,
            "AWS_ENDPOINT_URL_IAM": iam.endpoint_url,
            "AWS_ENDPOINT_URL_STS": iam.endpoint_url,
        }
        iam.policy = [*cloud_story.json("policy")["Statement"], *cloud_story.json("policy", "--for", "up")["Statement"]]
        told_of = cloud_story.run("doctor", status=6).out
        assert "IAM allows all that a publish needs" in told_of and "IAM allows all that `up` needs, too" in told_of
        assert "`down` would need `" in told_of and "`sitepub policy --for down` prints" in told_of


def test_where_there_is_no_bucket_yet_it_is_up_that_is_tried(cloud_story: Story) -> None:
    with run_fake_iam() as iam:
        cloud_story.target = "\n".join(
            "store: s3://not-there-yet" if line.startswith("store:") else line
            for line in cloud_story.target.splitlines()
            if not line.startswith("distribution:")
        )
        cloud_story.configure()
        cloud_story.environment = {
            **cloud_story.environment,
            "AWS_ENDPOINT_URL_IAM": iam.endpoint_url,
            "AWS_ENDPOINT_URL_STS": iam.endpoint_url,
        }
        iam.policy = [each for each in cloud_story.json("policy", "--for", "up")["Statement"] if each["Sid"] != "MakeBucket"]
        found = cloud_story.json("doctor", status=6)
        assert told(found) == ["missing-permission", "no-bucket"]
        (missing,) = [each for each in found["findings"] if each["code"] == "missing-permission"]
        assert '"Sid": "MakeBucket"' in missing["hint"] and "`s3:CreateBucket`" in missing["message"]
