"""A workflow as GitHub Actions reads it. Pure."""

from __future__ import annotations

import json
import re

from sitepub.core.partitions import AWS, partition_of_region
from sitepub.core.workflow_jobs import (
    JOBS,
    PLAN,
    PREVIEW,
    PUBLISH,
    REMOVE_PREVIEW,
    Job,
    Workflow,
    command_line,
    region_of,
    say_how_to_build,
)

_PREVIEW_NAME = "pr-${{ github.event.pull_request.number }}"

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._/-]*")

_HEAD = """\
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
    branches: [@BRANCH_FILTER@]
  pull_request:
    types: [opened, synchronize, reopened, closed]

permissions: {}

jobs:
"""

_FOOT = """
env:
  SITEPUB_SUMMARY: ${{ github.workspace }}/.sitepub-summary.md
"""

_OF_OWN_REPOSITORY = """\
    if: >-
      github.event_name == 'pull_request' && github.event.action @IS@ 'closed' &&
      github.event.pull_request.head.repo.full_name == github.repository
"""
_WHILE_OPEN = _OF_OWN_REPOSITORY.replace("@IS@", "!=")
_WHEN = {
    PLAN: "    # a fork's pull request gets no token, and runs nothing with rights of ours\n" + _WHILE_OPEN,
    PREVIEW: _WHILE_OPEN,
    REMOVE_PREVIEW: _OF_OWN_REPOSITORY.replace("@IS@", "=="),
    PUBLISH: "    if: github.event_name == 'push'\n",
}

_PERMISSIONS = """\
    runs-on: ubuntu-latest
    permissions:
      contents: read
      id-token: write
"""
_MORE_PERMISSIONS = {PLAN: "      pull-requests: write\n", PREVIEW: "      statuses: write\n"}

_ONE_AFTER_THE_OTHER = """\
    concurrency:
      group: sitepub-@GROUP@
      cancel-in-progress: false
"""

_CHECKOUT = """\
    steps:
      - uses: actions/checkout@v4
        with:
@HISTORY@          persist-credentials: false
      - uses: actions/setup-python@v5
        with:
          python-version: "3.x"
      - run: python -m pip install sitepub
"""
_SIGN_IN = """\
      - uses: aws-actions/configure-aws-credentials@v4
        with:
          role-to-assume: ${{ vars.@ROLE@ }}
          aws-region: @REGION@
"""
_COMMENT_PLAN = """\
      - if: always()
        env:
          GH_TOKEN: ${{ github.token }}
        run: gh pr comment ${{ github.event.pull_request.number }} --edit-last --create-if-none --body-file "$SITEPUB_SUMMARY"
"""
_LINK_PREVIEW = """\
      # its link stands among the checks of the pull request
      - env:
          GH_TOKEN: ${{ github.token }}
          PREVIEW: @PREVIEW_URL@
          STATUSES: repos/${{ github.repository }}/statuses/${{ github.event.pull_request.head.sha }}
        run: gh api "$STATUSES" -f state=success -f context="Preview of the site" -f target_url="$PREVIEW"
"""


def write_github(workflow: Workflow) -> str:
    """All of .github/workflows/sitepub.yml."""
    head = _HEAD.replace("@BRANCH@", workflow.branch).replace("@BRANCH_FILTER@", _as_text(workflow.branch))
    return head + "\n".join(_write_job(job, workflow) for job in JOBS) + _FOOT


def _as_text(branch: str) -> str:
    """YAML takes `1.10` for the number 1.1, and what stands behind a `#` for a comment."""
    return branch if _PLAIN.fullmatch(branch) else json.dumps(branch, ensure_ascii=False)


def _write_job(job: Job, workflow: Workflow) -> str:
    permissions = _PERMISSIONS + _MORE_PERMISSIONS.get(job, "")
    return f"  {job.name}:\n" + _WHEN[job] + permissions + _write_turns(job, workflow) + _write_steps(job, workflow)


def _write_turns(job: Job, workflow: Workflow) -> str:
    """Which runs wait for each other."""
    if job.of_preview:
        return _ONE_AFTER_THE_OTHER.replace("@GROUP@", "preview-${{ github.event.pull_request.number }}")
    if job is PUBLISH:
        why = "    # sitepub itself lets only the newest win; this saves the runs that would lose\n"
        return why + _ONE_AFTER_THE_OTHER.replace("@GROUP@", workflow.branch)
    return ""


def _write_steps(job: Job, workflow: Workflow) -> str:
    steps = [_CHECKOUT.replace("@HISTORY@", "          fetch-depth: 0\n" if job.needs_site else "")]
    if job.needs_site:
        examples = ": actions/setup-node, peaceiris/actions-hugo, `pip install -r requirements.txt` …"
        steps.append(f"      {say_how_to_build(workflow, examples=examples)}\n")
    steps.append(_SIGN_IN.replace("@ROLE@", job.role).replace("@REGION@", region_of(job, workflow)))
    audience = partition_of_region(region_of(job, workflow)).audience
    if audience != AWS.audience:
        steps.append(f"          audience: {audience}\n")
    if job is REMOVE_PREVIEW:
        steps.append(f"      # what is forgotten here goes by itself: `sitepub gc` removes previews after {workflow.days} days\n")
    steps.append(f"      - run: {command_line(job, workflow, _PREVIEW_NAME)}\n")
    if job is PLAN:
        steps.append(_COMMENT_PLAN)
    address = workflow.preview_address(_PREVIEW_NAME)
    if job is PREVIEW and address:
        steps.append(_LINK_PREVIEW.replace("@PREVIEW_URL@", address))
    return "".join(steps)
