"""What continuous integration is given: workflows that keep to their rights, annotations, summaries."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from sitepub.core.ci import annotate, annotate_error, summarise
from sitepub.core.model import Warning
from tests.commands.story import Story


@pytest.fixture
def repository(story: Story) -> Story:
    subprocess.run(["git", "init", "-q", "-b", "trunk"], cwd=story.root, check=True)
    story.target = "store: s3://www-example-com\nregion: eu-central-1\nbranch: main"
    story.configure("build: make\n")
    return story


def read(story: Story, path: str) -> Any:
    return yaml.load((story.root / path).read_text(), yaml.BaseLoader)


def test_a_workflow_for_github_keeps_to_its_rights(repository: Story) -> None:
    repository.run("init", "--ci", "github")
    path = ".github/workflows/sitepub.yml"
    workflow = read(repository, path)
    assert workflow["on"] == {
        "push": {"branches": ["main"]},
        "pull_request": {"types": ["opened", "synchronize", "reopened", "closed"]},
    }
    assert workflow["permissions"] == {}
    plan, publish = workflow["jobs"]["plan"], workflow["jobs"]["publish"]
    assert "head.repo.full_name == github.repository" in plan["if"] and publish["if"] == "github.event_name == 'push'"
    assert plan["permissions"] == {"contents": "read", "id-token": "write", "pull-requests": "write"}
    assert publish["permissions"] == {"contents": "read", "id-token": "write"}
    roles = {
        name: [step["with"]["role-to-assume"] for step in job["steps"] if "role-to-assume" in step.get("with", {})]
        for name, job in workflow["jobs"].items()
    }
    assert roles == {
        "plan": ["${{ vars.SITEPUB_PLAN_ROLE }}"],
        "preview": ["${{ vars.SITEPUB_PREVIEW_ROLE }}"],
        "remove-preview": ["${{ vars.SITEPUB_PREVIEW_ROLE }}"],
        "publish": ["${{ vars.SITEPUB_ROLE }}"],
    }
    for name in ("plan", "preview", "remove-preview"):
        condition = workflow["jobs"][name]["if"]
        assert "github.event.pull_request.head.repo.full_name == github.repository" in condition, "forks get nothing"
        assert ("action == 'closed'" in condition) is (name == "remove-preview")
    assert {
        step["with"]["aws-region"] for job in workflow["jobs"].values() for step in job["steps"] if "aws-region" in step.get("with", {})
    } == {"eu-central-1"}
    text = (repository.root / path).read_text()
    assert "pull_request_target" not in text and "secrets." not in text
    assert "run: sitepub plan --target there" in text and "run: sitepub publish --target there" in text


def run_steps(job: Any) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step]


def test_pull_requests_are_previewed_and_taken_away_again(repository: Story) -> None:
    repository.target += "\nurl: https://www.example.com/"
    repository.configure("build: make\npreviews: {days: 9}\n")
    repository.run("init", "--ci", "github")
    jobs = read(repository, ".github/workflows/sitepub.yml")["jobs"]
    name = "pr-${{ github.event.pull_request.number }}"
    assert f"sitepub publish --target there --preview {name}" in run_steps(jobs["preview"])
    assert f"sitepub gc --target there --preview {name} --yes" in run_steps(jobs["remove-preview"])
    assert jobs["preview"]["permissions"] == {"contents": "read", "id-token": "write", "statuses": "write"}
    seen = [step["env"]["PREVIEW"] for step in jobs["preview"]["steps"] if "PREVIEW" in step.get("env", {})]
    assert seen == [f"https://www.example.com/previews/{name}/"]
    repository.run("init", "--ci", "gitlab")
    gitlab = read(repository, ".gitlab-ci.yml")
    assert gitlab["preview"]["environment"] == {
        "name": "preview/mr-$CI_MERGE_REQUEST_IID",
        "url": "https://www.example.com/previews/mr-$CI_MERGE_REQUEST_IID/",
        "on_stop": "remove-preview",
        "auto_stop_in": "9 days",
    }
    assert gitlab["preview"]["rules"] == gitlab["plan"]["rules"]
    assert 'export AWS_ROLE_ARN="$SITEPUB_PREVIEW_ROLE"' in gitlab["preview"]["script"]
    assert gitlab["remove-preview"]["script"][-1] == "sitepub gc --target there --preview mr-$CI_MERGE_REQUEST_IID --yes"


def test_where_nobody_says_on_which_host_no_link_is_made(repository: Story) -> None:
    repository.run("init", "--ci", "github")
    assert "statuses/" not in (repository.root / ".github/workflows/sitepub.yml").read_text()
    repository.run("init", "--ci", "gitlab")
    assert "url" not in read(repository, ".gitlab-ci.yml")["preview"]["environment"]


def test_a_workflow_for_gitlab_keeps_to_its_rights(repository: Story) -> None:
    repository.run("init", "--ci", "gitlab")
    workflow = read(repository, ".gitlab-ci.yml")
    assert workflow["plan"]["rules"] == [
        {"if": '$CI_PIPELINE_SOURCE == "merge_request_event" && $CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID'}
    ]
    assert workflow["publish"]["rules"] == [{"if": '$CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH == "main"'}]
    assert 'export AWS_ROLE_ARN="$SITEPUB_PLAN_ROLE"' in workflow["plan"]["script"]
    assert 'export AWS_ROLE_ARN="$SITEPUB_ROLE"' in workflow["publish"]["script"]


@pytest.mark.parametrize(("ci", "path"), [("github", ".github/workflows/sitepub.yml"), ("gitlab", ".gitlab-ci.yml")])
def test_tokens_for_china_are_for_its_own_sts(repository: Story, ci: str, path: str) -> None:
    repository.run("init", "--ci", ci)
    text = (repository.root / path).read_text()
    assert "amazonaws.com.cn" not in text
    (repository.root / path).unlink()
    repository.target = repository.target.replace("eu-central-1", "cn-north-1")
    repository.configure("build: make\n")
    repository.run("init", "--ci", ci)
    workflow = read(repository, path)
    if ci == "gitlab":
        assert workflow[".sitepub"]["id_tokens"]["SITEPUB_TOKEN"]["aud"] == "sts.amazonaws.com.cn"
        return
    asked = [step["with"] for job in workflow["jobs"].values() for step in job["steps"] if "aws-region" in step.get("with", {})]
    assert [(each["aws-region"], each["audience"]) for each in asked] == [("cn-north-1", "sts.amazonaws.com.cn")] * 4


def test_a_workflow_that_is_there_stays(repository: Story) -> None:
    repository.write({"sitepub.yml": "mine"}, ".github/workflows")
    repository.run("init", "--ci", "github", status=1)
    assert (repository.root / ".github/workflows/sitepub.yml").read_text() == "mine"
    assert "jobs:" in repository.run("init", "--ci", "github", "--dry-run").out


def test_a_site_in_a_folder_of_its_repository(repository: Story) -> None:
    inside = repository.root / "web"
    inside.mkdir()
    (repository.root / "sitepub.yaml").rename(inside / "sitepub.yaml")
    repository.run("init", "--ci", "github", "-C", str(inside))
    assert "run: sitepub publish -C web --target there" in (repository.root / ".github/workflows/sitepub.yml").read_text()


def test_runs_in_github_write_annotations_and_a_summary(story: Story, tmp_path: Path) -> None:
    story.write({"index.html": '<img src="gone.png">'})
    environment = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(tmp_path / "page.md"), "SITEPUB_SUMMARY": str(tmp_path / "own.md")}
    planned = story.run("plan", environment=environment)
    assert "::warning title=missing-reference::`index.html` line 1 loads `gone.png`" in planned.err
    assert "::" not in planned.out
    story.run("publish", environment=environment)
    page, own = (tmp_path / "page.md").read_text(), (tmp_path / "own.md").read_text()
    assert page.count("### Plan for there") == 1 and page.count("### Publish to there") == 1
    assert own.startswith("### Publish to there\n\n```text\npublished ")
    (story.root / "public/key.pem").write_text("secret")
    refused = story.run("publish", environment=environment, status=1)
    assert "::error title=looks-like-secret::" in refused.err
    assert (tmp_path / "own.md").read_text().startswith("### sitepub stopped")


def test_a_summary_is_utf_8_wherever_it_is_written(story: Story, tmp_path: Path) -> None:
    story.configure(target="größe: 1")
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "SITEPUB_SUMMARY": str(tmp_path / "own.md")}
    assert story.run("publish", environment=plain, status=4).err.startswith("error: ")
    assert "größe" in (tmp_path / "own.md").read_text("utf-8")


def test_a_file_in_the_way_of_a_workflow_is_told(repository: Story) -> None:
    (repository.root / ".github").write_text("a file")
    refused = repository.json("init", "--ci", "github", status=4)["error"]
    assert refused["code"] == "unwritable" and refused["hint"]
    assert f"`{repository.root}/.github/workflows` can't be made" in refused["message"]


def test_elsewhere_there_is_nothing_of_it(story: Story) -> None:
    story.write({"index.html": '<img src="gone.png">'})
    assert "::" not in story.run("publish").err


def test_what_annotations_escape() -> None:
    assert annotate([Warning("a:b,c", "50%\nmore")]) == "::warning title=a%3Ab%2Cc::50%25%0Amore"
    assert annotate([Warning("x", "y")] * 30).count("\n") == 9
    assert annotate_error("x", "y", "z") == "::error title=x::y. z"
    assert summarise("T", "a ``` b") == "### T\n\n````text\na ``` b\n````\n"
