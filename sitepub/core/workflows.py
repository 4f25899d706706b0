"""The workflows that `init --ci` writes: the jobs of workflow_jobs.py, in the words of whoever runs them. Pure."""

from __future__ import annotations

from enum import StrEnum

from sitepub.core.workflow_jobs import Workflow
from sitepub.core.workflows_github import write_github
from sitepub.core.workflows_gitlab import write_gitlab


class Ci(StrEnum):
    """Where a workflow is written for."""

    GITHUB = "github"
    GITLAB = "gitlab"


WORKFLOW_PATHS = {Ci.GITHUB: ".github/workflows/sitepub.yml", Ci.GITLAB: ".gitlab-ci.yml"}


def write_workflow(ci: Ci, workflow: Workflow) -> str:
    """Least permissions, no secrets that last, nothing that runs for a fork with rights of ours."""
    return write_github(workflow) if ci is Ci.GITHUB else write_gitlab(workflow)
