"""`sitepub` without a command: where you are and what comes next, in each situation that a newcomer walks through."""

from __future__ import annotations

from pathlib import Path

from tests.commands.story import Story


def next_steps(said: str) -> list[str]:
    return [line.split("  ")[1] for line in said[said.index("next:") :].splitlines()[1:-1]]


def test_in_an_empty_folder_it_leads_to_init(tmp_path: Path) -> None:
    said = Story(tmp_path).run().out
    assert f" in {tmp_path}\nno `sitepub.yaml` here or above\nno generator and no pages were found here\n" in said
    assert next_steps(said) == ["sitepub init", "sitepub -C DIR init"]
    assert said.splitlines()[-1].startswith("  sitepub --help")


def test_it_says_what_the_folder_looks_like(tmp_path: Path) -> None:
    (tmp_path / "mkdocs.yml").write_text("site_name: x\n")
    said = Story(tmp_path).run().out
    assert "this looks like a site made by MkDocs: `mkdocs.yml` is there" in said
    assert next_steps(said) == ["sitepub init"]


def test_it_leads_from_the_first_plan_to_what_is_live(story: Story) -> None:
    assert next_steps(story.run().out) == ["sitepub plan", "sitepub publish"]
    release = story.publish()["release"]
    said = story.run().out
    assert f"live: {release}, published at " in said
    assert next_steps(said) == ["sitepub plan", "sitepub serve", "sitepub releases"]


def test_it_names_what_is_missing(story: Story) -> None:
    (story.root / "public").rename(story.root / "elsewhere")
    said = story.run().out
    assert f"source: `{story.root}/public` is not there yet" in said
    assert "build the site into" in said


def test_several_targets_are_named_with_the_way_to_choose(tmp_path: Path) -> None:
    (tmp_path / "sitepub.yaml").write_text("source: public\ntargets: {a: {store: file:a}, b: {store: 's3://www-example-com'}}\n")
    several = Story(tmp_path)
    assert next_steps(several.run().out) == ["sitepub plan --target a", "sitepub plan --target b"]
    told = several.json("--target", "b")
    assert told["target"] == "b" and [step["command"] for step in told["next"]][-2:] == ["sitepub status", "sitepub doctor"]
    assert several.run("--target", "c", status=2).err.startswith("error: `sitepub.yaml` has no target `c`")


def test_from_a_folder_below_it_names_the_file_above(story: Story) -> None:
    said = story.run("-C", "public/docs").out
    assert f"configuration: `{story.root}/sitepub.yaml`" in said


def test_a_broken_file_is_told_as_every_command_tells_it(story: Story) -> None:
    (story.root / "sitepub.yaml").write_text("sourc: x\n")
    assert "did you mean `source`?" in story.run(status=4).err
    (story.root / "sitepub.yaml").rename(story.root / "sitepub.yml")
    assert story.run(status=4).err.endswith("hint: rename `sitepub.yml` to `sitepub.yaml`\n")
