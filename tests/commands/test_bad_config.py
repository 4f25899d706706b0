"""A sitepub.yaml or a command line that is wrong: all that is wrong at once, with lines, and nothing written."""

from __future__ import annotations

import pytest

from tests.commands.story import Story

BROKEN = """\
source: public
targets:
  there:
    store: file:out
    region: 7
    url_stile: both
cache: {assets: 12}
retentoin: {releases: 3}
redirects:
  - {from: old/, to: /new/, status: 999}
fingerprint: {digest_length: 3}
"""


BROKEN_ERR = """\
error: 7 problems:
  sitepub.yaml:5: `targets.there.region` must be a region such as `eu-central-1`, not `7`: put it in quotes
  sitepub.yaml:6: unknown key `url_stile` in `targets.there`, did you mean `url_style`?
  sitepub.yaml:7: `cache.assets` must be a value of Cache-Control, not `12`: put it in quotes
  sitepub.yaml:8: unknown key `retentoin`, did you mean `retention`?
  sitepub.yaml:10: `redirects.from` must be a path that starts with `/`, not `old/`
  sitepub.yaml:10: `redirects.status` must be one of `301`, `302`, `303`, `307`, `308`, not `999`
  sitepub.yaml:11: `fingerprint.digest_length` must be a whole number from 4 to 64, not `3`
"""


def test_all_that_is_wrong_is_told_at_once_with_lines(story: Story) -> None:
    (story.root / "sitepub.yaml").write_text(BROKEN)
    for command in ("plan", "publish", "status"):
        told = story.run(command, "--json", status=4)
        assert told.err == BROKEN_ERR
        assert told.json == {"error": {"code": "invalid-configuration", "message": BROKEN_ERR[len("error: ") : -1], "hint": ""}}
    assert not (story.root / "out").exists()


@pytest.mark.parametrize(
    ("text", "err"),
    [
        ("source: [public\n", "error: sitepub.yaml:2:1: is not YAML: did not find expected ',' or ']'\n"),
        ("", "error: `sitepub.yaml` is empty\nhint: delete it and run `sitepub init`\n"),
        ("- public\n", "error: sitepub.yaml:1: must be a table of settings, not a list\n"),
        ("source: public\n", "error: sitepub.yaml:1: `targets` is missing, at least one target is needed\n"),
        (
            "source: public\nsource: dist\ntargets: {there: {store: 'file:out'}}\n",
            "error: sitepub.yaml:2: the key `source` stands twice, first in line 1\n",
        ),
        (
            "source: ${SOURCE}\ntargets: {there: {store: 'file:out'}}\n",
            "error: sitepub.yaml:1: `source` needs the environment variable `SOURCE`, which is not set; set it, or write `${SOURCE:-default}`\n",
        ),
        (
            "source: public\ntargets: {there: {store: 'ftp://host/'}}\n",
            "error: sitepub.yaml:2: `targets.there.store` must be `file:PATH` or `s3://bucket[/prefix]`, not `ftp://host/`\n",
        ),
        (
            "source: public\ntargets: {there: {store: 'file:public/out'}}\n",
            "error: sitepub.yaml:2: `targets.there.store` lies inside `source` and would be published too, name a folder outside\n",
        ),
        (
            "source: public\nheaders: [{match: '*', set: {X-Frame-Options: DENY}}]\ntargets: {there: {store: 's3://bucket'}}\n",
            "error: sitepub.yaml:2: `headers.set` can't hold `X-Frame-Options`, S3 answers only with `Cache-Control`, `Content-Disposition`, `Content-Encoding`, `Content-Language`, `Content-Type`, `Expires`; any other header belongs in the distribution's response-headers policy\n",
        ),
    ],
    ids=["no yaml", "empty", "a list", "no target", "a key twice", "an unset variable", "an unknown store", "a target inside", "a header"],
)
def test_a_broken_file_is_named_with_its_line(story: Story, text: str, err: str) -> None:
    (story.root / "sitepub.yaml").write_text(text)
    told = story.run("publish", status=4)
    assert (told.out, told.err) == ("", err)
    assert not (story.root / "out").exists()


@pytest.mark.parametrize(
    ("words", "err"),
    [
        (["publsh"], "error: there is no command `publsh`, did you mean `publish`?\nhint: `sitepub --help` shows its options\n"),
        (["x"], "error: there is no command `x`\nhint: `sitepub --help` shows its options\n"),
        (
            ["publish", "--dryrun"],
            "error: there is no option `--dryrun`, did you mean `--dry-run`?\nhint: `sitepub publish --help` shows its options\n",
        ),
        (["publish", "--zzz"], "error: there is no option `--zzz`\nhint: `sitepub publish --help` shows its options\n"),
        (["plan", "extra"], "error: got unexpected extra argument `extra`\nhint: `sitepub plan --help` shows its options\n"),
        (
            ["publish", "--allow", "shrnk"],
            "error: invalid value for `--allow`: `shrnk` is not one of `shrink`, `foreign`, `diverged`, `older`, `dirty`, `broken`\n"
            "hint: `sitepub publish --help` shows its options\n",
        ),
        (
            ["publish", "--lock-timeout", "soon"],
            "error: invalid value for `--lock-timeout`: `soon` is not a valid float range\nhint: `sitepub publish --help` shows its options\n",
        ),
        (["publish", "-C"], "error: option `-C` requires an argument\nhint: `sitepub publish --help` shows its options\n"),
        (["publish", "-q", "-v"], "error: `-v` and `-q` exclude each other\nhint: leave one of them out\n"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_command_line_names_the_nearest(story: Story, words: list[str], err: str) -> None:
    told = story.run(*words, "--json", status=2) if words[-1] != "-C" else story.run("--json", *words, status=2)
    assert told.err == err
    error = told.json["error"]
    assert (error["code"], err) == ("usage", f"error: {error['message']}\nhint: {error['hint']}\n")
    assert not (story.root / "out").exists()


def test_a_folder_that_is_not_there(story: Story) -> None:
    told = story.run("publish", "-C", "nowhere", status=4)
    assert told.err == "error: `nowhere` is not a folder\nhint: name an existing folder after `-C`\n"


def test_common_options_may_stand_before_the_command(story: Story) -> None:
    assert story.run("-C", "public", "--json", "publish").json["summary"]["new"] == 8
    assert story.run("--target", "there", "-q", "publish").out == ""
    assert story.run("-Cpublic", "--target=there", "--json", "publish").json["target"] == "there"
