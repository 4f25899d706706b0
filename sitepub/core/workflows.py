"""The workflows of continuous integration that `init --ci` writes: they plan, preview and publish. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sitepub.core.partitions import AWS, GLOBAL_HOME, partition_of_region


class Ci(StrEnum):
    """Where a workflow is written for."""

    GITHUB = "github"
    GITLAB = "gitlab"


WORKFLOW_PATHS = {Ci.GITHUB: ".github/workflows/sitepub.yml", Ci.GITLAB: ".gitlab-ci.yml"}


@dataclass(frozen=True, slots=True)
class Workflow:
    """`folder`: of sitepub.yaml in the repository, '.' for its root; `region` '' where the store is no bucket, `preview_region` the same of previews;
    `preview_url` holds `{name}`, and is a path where nothing says on which host; `days`: for which a preview is kept."""

    branch: str
    target: str
    folder: str
    region: str
    preview_region: str
    builds: bool
    preview_url: str = ""
    days: int = 14


def write_workflow(ci: Ci, workflow: Workflow) -> str:
    """Least permissions, no secrets that last, nothing that runs for a fork with rights of ours."""
    setup = _BUILDING if workflow.builds else _BUILT
    text = _GITHUB if ci is Ci.GITHUB else _GITLAB
    words = f"-C {workflow.folder} --target {workflow.target}" if workflow.folder != "." else f"--target {workflow.target}"
    url = workflow.preview_url if "://" in workflow.preview_url else ""
    pieces = {
        "@SEEN@": _SEEN[ci] if url else "",
        "@SETUP@": setup[ci],
        "@BRANCH@": workflow.branch,
        "@WORDS@": words,
        "@PREVIEW_REGION@": workflow.preview_region or GLOBAL_HOME,
        "@REGION@": workflow.region or GLOBAL_HOME,
        "@SAID@": _say_audience(workflow.region),
        "@PREVIEW_SAID@": _say_audience(workflow.preview_region),
        "@AUDIENCE@": partition_of_region(workflow.region).audience,
        "@PREVIEW_URL@": url.replace("{name}", _PREVIEW_NAMES[ci]),
        "@DAYS@": str(workflow.days),
    }
    for piece, filling in pieces.items():
        text = text.replace(piece, filling)
    return text


def _say_audience(region: str) -> str:
    audience = partition_of_region(region).audience
    return "" if audience == AWS.audience else f"\n          audience: {audience}"


_BUILDING = {
    Ci.GITHUB: "      # Install here what `build:` needs: actions/setup-node, peaceiris/actions-hugo, `pip install -r requirements.txt` …\n",
    Ci.GITLAB: "    # Install here what `build:` needs.\n",
}
_BUILT = {
    Ci.GITHUB: "      # sitepub.yaml has no `build:`: make the site here, in the folder that `source` names.\n",
    Ci.GITLAB: "    # sitepub.yaml has no `build:`: make the site here, in the folder that `source` names.\n",
}

_PREVIEW_NAMES = {Ci.GITHUB: "pr-${{ github.event.pull_request.number }}", Ci.GITLAB: "mr-$CI_MERGE_REQUEST_IID"}
_SEEN = {
    Ci.GITHUB: """\
      # its link stands among the checks of the pull request
      - env:
          GH_TOKEN: ${{ github.token }}
          PREVIEW: @PREVIEW_URL@
          STATUSES: repos/${{ github.repository }}/statuses/${{ github.event.pull_request.head.sha }}
        run: gh api "$STATUSES" -f state=success -f context="Preview of the site" -f target_url="$PREVIEW"
""",
    Ci.GITLAB: """\
    url: @PREVIEW_URL@
""",
}

_GITHUB = """\
# Written by `sitepub init --ci github`. Plans and previews each pull request, publishes each push to @BRANCH@.
#
# Three roles in AWS trust this repository's tokens, and no key is stored anywhere. Set them as variables of the repository:
#   SITEPUB_ROLE          may publish; trusts `repo:OWNER/NAME:ref:refs/heads/@BRANCH@` alone
#   SITEPUB_PLAN_ROLE     may read;    trusts `repo:OWNER/NAME:pull_request`
#   SITEPUB_PREVIEW_ROLE  may publish previews, below their prefix alone; trusts `repo:OWNER/NAME:pull_request`
# `sitepub policy --for publish|plan|preview` prints what each may do, and with `--github OWNER/NAME` whom it trusts.
name: Site

on:
  push:
    branches: [@BRANCH@]
  pull_request:
    types: [opened, synchronize, reopened, closed]

permissions: {}

jobs:
  plan:
    # a fork's pull request gets no token, and runs nothing with rights of ours
    if: >-
      github.event_name == 'pull_request' && github.event.action != 'closed' &&
      github.event.pull_request.head.repo.full_name == github.repository
    runs-on: ubuntu-latest
    permissions:
      contents: read
      id-token: write
      pull-requests: write
    steps:
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0
          persist-credentials: false
      - uses: actions/setup-python@v5
        with:
          python-version: "3.x"
      - run: python -m pip install sitepub
@SETUP@      - uses: aws-actions/configure-aws-credentials@v4
        with:
          role-to-assume: ${{ vars.SITEPUB_PLAN_ROLE }}
          aws-region: @REGION@@SAID@
      - run: sitepub plan @WORDS@
      - if: always()
        env:
          GH_TOKEN: ${{ github.token }}
        run: gh pr comment ${{ github.event.pull_request.number }} --edit-last --create-if-none --body-file "$SITEPUB_SUMMARY"

  preview:
    if: >-
      github.event_name == 'pull_request' && github.event.action != 'closed' &&
      github.event.pull_request.head.repo.full_name == github.repository
    runs-on: ubuntu-latest
    permissions:
      contents: read
      id-token: write
      statuses: write
    concurrency:
      group: sitepub-preview-${{ github.event.pull_request.number }}
      cancel-in-progress: false
    steps:
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0
          persist-credentials: false
      - uses: actions/setup-python@v5
        with:
          python-version: "3.x"
      - run: python -m pip install sitepub
@SETUP@      - uses: aws-actions/configure-aws-credentials@v4
        with:
          role-to-assume: ${{ vars.SITEPUB_PREVIEW_ROLE }}
          aws-region: @PREVIEW_REGION@@PREVIEW_SAID@
      - run: sitepub publish @WORDS@ --preview pr-${{ github.event.pull_request.number }}
@SEEN@
  remove-preview:
    if: >-
      github.event_name == 'pull_request' && github.event.action == 'closed' &&
      github.event.pull_request.head.repo.full_name == github.repository
    runs-on: ubuntu-latest
    permissions:
      contents: read
      id-token: write
    concurrency:
      group: sitepub-preview-${{ github.event.pull_request.number }}
      cancel-in-progress: false
    steps:
      - uses: actions/checkout@v4
        with:
          persist-credentials: false
      - uses: actions/setup-python@v5
        with:
          python-version: "3.x"
      - run: python -m pip install sitepub
      - uses: aws-actions/configure-aws-credentials@v4
        with:
          role-to-assume: ${{ vars.SITEPUB_PREVIEW_ROLE }}
          aws-region: @PREVIEW_REGION@@PREVIEW_SAID@
      # what is forgotten here goes by itself: `sitepub gc` removes previews after @DAYS@ days
      - run: sitepub gc @WORDS@ --preview pr-${{ github.event.pull_request.number }} --yes

  publish:
    if: github.event_name == 'push'
    runs-on: ubuntu-latest
    permissions:
      contents: read
      id-token: write
    # sitepub itself lets only the newest win; this saves the runs that would lose
    concurrency:
      group: sitepub-@BRANCH@
      cancel-in-progress: false
    steps:
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0
          persist-credentials: false
      - uses: actions/setup-python@v5
        with:
          python-version: "3.x"
      - run: python -m pip install sitepub
@SETUP@      - uses: aws-actions/configure-aws-credentials@v4
        with:
          role-to-assume: ${{ vars.SITEPUB_ROLE }}
          aws-region: @REGION@@SAID@
      - run: sitepub publish @WORDS@

env:
  SITEPUB_SUMMARY: ${{ github.workspace }}/.sitepub-summary.md
"""

_GITLAB = """\
# Written by `sitepub init --ci gitlab`. Plans and previews each merge request, publishes each push to @BRANCH@.
#
# Three roles in AWS trust this project's tokens, and no key is stored anywhere. Set them as CI/CD variables:
#   SITEPUB_ROLE          may publish; trusts `project_path:GROUP/NAME:ref_type:branch:ref:@BRANCH@` alone. Protect the variable.
#   SITEPUB_PLAN_ROLE     may read
#   SITEPUB_PREVIEW_ROLE  may publish previews, below their prefix alone
# `sitepub policy --for publish|plan|preview` prints what each may do.
.sitepub:
  image: python:3
  variables:
    GIT_DEPTH: 0
    AWS_REGION: @REGION@
    AWS_WEB_IDENTITY_TOKEN_FILE: $CI_PROJECT_DIR/.token
  id_tokens:
    SITEPUB_TOKEN:
      aud: @AUDIENCE@
  before_script:
@SETUP@    - python -m pip install sitepub
    - umask 077 && printf %s "$SITEPUB_TOKEN" > "$AWS_WEB_IDENTITY_TOKEN_FILE"

plan:
  extends: .sitepub
  rules:
    # a fork's merge request gets no token
    - if: $CI_PIPELINE_SOURCE == "merge_request_event" && $CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID
  script:
    - export AWS_ROLE_ARN="$SITEPUB_PLAN_ROLE"
    - sitepub plan @WORDS@

preview:
  extends: .sitepub
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event" && $CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID
  resource_group: sitepub-preview-$CI_MERGE_REQUEST_IID
  variables:
    AWS_REGION: @PREVIEW_REGION@
  environment:
    name: preview/mr-$CI_MERGE_REQUEST_IID
@SEEN@    on_stop: remove-preview
    auto_stop_in: @DAYS@ days
  script:
    - export AWS_ROLE_ARN="$SITEPUB_PREVIEW_ROLE"
    - sitepub publish @WORDS@ --preview mr-$CI_MERGE_REQUEST_IID

remove-preview:
  extends: .sitepub
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event" && $CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID
      when: manual
      allow_failure: true
  resource_group: sitepub-preview-$CI_MERGE_REQUEST_IID
  variables:
    AWS_REGION: @PREVIEW_REGION@
  environment:
    name: preview/mr-$CI_MERGE_REQUEST_IID
    action: stop
  script:
    - export AWS_ROLE_ARN="$SITEPUB_PREVIEW_ROLE"
    - sitepub gc @WORDS@ --preview mr-$CI_MERGE_REQUEST_IID --yes

publish:
  extends: .sitepub
  rules:
    - if: $CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH == "@BRANCH@"
  resource_group: sitepub
  script:
    - export AWS_ROLE_ARN="$SITEPUB_ROLE"
    - sitepub publish @WORDS@
"""
