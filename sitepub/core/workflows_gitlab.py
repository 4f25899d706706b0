"""A workflow as GitLab CI/CD reads it. Pure."""

from __future__ import annotations

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

_PREVIEW_NAME = "mr-$CI_MERGE_REQUEST_IID"

_HEAD = """\
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
    @SETUP@
    - python -m pip install sitepub
    - umask 077 && printf %s "$SITEPUB_TOKEN" > "$AWS_WEB_IDENTITY_TOKEN_FILE"

"""

_OF_OWN_PROJECT = '    - if: $CI_PIPELINE_SOURCE == "merge_request_event" && $CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID\n'
_WHEN = {
    PLAN: "    # a fork's merge request gets no token\n" + _OF_OWN_PROJECT,
    PREVIEW: _OF_OWN_PROJECT,
    REMOVE_PREVIEW: _OF_OWN_PROJECT + "      when: manual\n      allow_failure: true\n",
    PUBLISH: '    - if: $CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH == "@BRANCH@"\n',
}
_TURNS = {
    PREVIEW: "  resource_group: sitepub-preview-$CI_MERGE_REQUEST_IID\n",
    REMOVE_PREVIEW: "  resource_group: sitepub-preview-$CI_MERGE_REQUEST_IID\n",
    PUBLISH: "  resource_group: sitepub\n",
}


def write_gitlab(workflow: Workflow) -> str:
    """All of .gitlab-ci.yml."""
    head = _HEAD.replace("@BRANCH@", workflow.branch).replace("@REGION@", region_of(PUBLISH, workflow))
    head = head.replace("@AUDIENCE@", workflow.audience).replace("@SETUP@", say_how_to_build(workflow, examples="."))
    return head + "\n".join(_write_job(job, workflow) for job in JOBS)


def _write_job(job: Job, workflow: Workflow) -> str:
    rules = "  rules:\n" + _WHEN[job].replace("@BRANCH@", workflow.branch)
    place = _write_environment(job, workflow) if job.of_preview else ""
    command = command_line(job, workflow, _PREVIEW_NAME)
    script = f'  script:\n    - export AWS_ROLE_ARN="${job.role}"\n    - {command}\n'
    return f"{job.name}:\n  extends: .sitepub\n{rules}{_TURNS.get(job, '')}{place}{script}"


def _write_environment(job: Job, workflow: Workflow) -> str:
    """Of a preview: its region, and the place where GitLab shows and stops it."""
    lines = ["  variables:", f"    AWS_REGION: {region_of(job, workflow)}", "  environment:", f"    name: preview/{_PREVIEW_NAME}"]
    address = workflow.preview_address(_PREVIEW_NAME)
    if job is REMOVE_PREVIEW:
        lines.append("    action: stop")
    else:
        lines += [f"    url: {address}"] if address else []
        lines += ["    on_stop: remove-preview", f"    auto_stop_in: {workflow.days} days"]
    return "".join(f"{line}\n" for line in lines)
