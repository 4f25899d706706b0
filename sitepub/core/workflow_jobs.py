"""The jobs of a workflow of continuous integration: what is run, and as whom, whoever runs it. Pure."""

from __future__ import annotations

from shlex import quote

from msgspec import Struct

from sitepub.core.partitions import GLOBAL_HOME, partition_of_region


class Workflow(Struct, frozen=True):
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

    @property
    def audience(self) -> str:
        """Whom the tokens of this workflow are for."""
        return partition_of_region(self.region).audience

    def preview_address(self, name: str) -> str:
        """Where the preview of this name is read; '' where nothing says on which host."""
        return self.preview_url.replace("{name}", name) if "://" in self.preview_url else ""


class Job(Struct, frozen=True):
    """One run of sitepub. `role`: the variable that names the role in AWS which it takes; `needs_site`: the site has to be there, and its history."""

    name: str
    command: str
    role: str
    of_preview: bool = False
    needs_site: bool = True


PLAN = Job("plan", "plan", "SITEPUB_PLAN_ROLE")
PREVIEW = Job("preview", "publish", "SITEPUB_PREVIEW_ROLE", of_preview=True)
REMOVE_PREVIEW = Job("remove-preview", "gc", "SITEPUB_PREVIEW_ROLE", of_preview=True, needs_site=False)
PUBLISH = Job("publish", "publish", "SITEPUB_ROLE")
JOBS = (PLAN, PREVIEW, REMOVE_PREVIEW, PUBLISH)


def command_line(job: Job, workflow: Workflow, preview: str) -> str:
    """What the job runs. `preview`: the name of a preview, as the service puts it together."""
    words = ["sitepub", job.command]
    words += ["-C", quote(workflow.folder)] if workflow.folder != "." else []
    words += ["--target", workflow.target]
    words += ["--preview", preview] if job.of_preview else []
    words += ["--yes"] if job is REMOVE_PREVIEW else []
    return " ".join(words)


def region_of(job: Job, workflow: Workflow) -> str:
    """Where the job signs in: any region does where the store is no bucket."""
    return (workflow.preview_region if job.of_preview else workflow.region) or GLOBAL_HOME


def say_how_to_build(workflow: Workflow, *, examples: str = "") -> str:
    """The comment at the place where a site is made. `examples`: of what `build:` may need."""
    if workflow.builds:
        return f"# Install here what `build:` needs{examples}"
    return "# sitepub.yaml has no `build:`: make the site here, in the folder that `source` names."
