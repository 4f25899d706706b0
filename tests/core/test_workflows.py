"""What `init --ci` writes, byte for byte: people have it in their repositories, and compare what a later version would write."""

from __future__ import annotations

from pathlib import Path

import pytest

from sitepub.core.workflow_jobs import Workflow
from sitepub.core.workflows import Ci, write_workflow

FIXTURES = Path(__file__).parent / "fixtures/workflows"

WORKFLOWS = {
    "plain": Workflow("main", "production", ".", "", "", builds=False, days=9),
    "full": Workflow("main", "production", "sites/a", "cn-north-1", "eu-west-1", True, "https://p.example/{name}/", 9),
}
"""`full`: below the root, built, in two partitions of AWS, with previews on hosts of their own."""


@pytest.mark.parametrize("name", WORKFLOWS)
@pytest.mark.parametrize("ci", Ci)
def test_a_workflow_is_written_as_it_was(ci: Ci, name: str) -> None:
    assert write_workflow(ci, WORKFLOWS[name]) == (FIXTURES / f"{ci}-{name}.yml").read_text("utf-8")


def test_a_branch_stays_a_text_and_a_folder_one_word() -> None:
    told = write_workflow(Ci.GITHUB, Workflow("1.10", "production", "my site", "", "", builds=False))
    assert 'branches: ["1.10"]\n' in told
    for ci in Ci:
        told = write_workflow(ci, Workflow("main", "production", "my site", "", "", builds=False))
        assert "sitepub publish -C 'my site' --target production\n" in told


def test_a_preview_on_a_path_has_no_link() -> None:
    """Nothing says on which host it is read."""
    on_a_path = Workflow("main", "production", ".", "", "", builds=False, preview_url="/previews/{name}/", days=9)
    for ci in Ci:
        assert write_workflow(ci, on_a_path) == write_workflow(ci, WORKFLOWS["plain"])
