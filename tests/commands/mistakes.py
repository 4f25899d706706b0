"""Mistakes that a new user makes, each as it is made: what is changed on a site that is fine, the command that is then given, and what is said.

Each message was read by somebody who did not write it. It says what is wrong, where, and the way out; `docs/errors.md` has its code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.commands.story import Story
from tests.support.servers import find_free_ports


def nothing(story: Story) -> None:
    """The mistake is in the command."""


def replace(old: str, new: str) -> Callable[[Story], None]:
    """A slip in sitepub.yaml."""

    def change(story: Story) -> None:
        path = story.root / "sitepub.yaml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return change


def add(line: str) -> Callable[[Story], None]:
    def change(story: Story) -> None:
        with (story.root / "sitepub.yaml").open("a") as file:
            file.write(f"{line}\n")

    return change


def target(lines: str) -> Callable[[Story], None]:
    def change(story: Story) -> None:
        story.target = lines
        story.configure()

    return change


def bucket(lines: str = "", **environment: str) -> Callable[[Story], None]:
    """A target in a bucket whose server does not listen: what is wrong must be told before anybody is asked, or be just that."""

    def change(story: Story) -> None:
        (port,) = find_free_ports(1)
        story.environment = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", **environment}
        target(f"store: s3://www-example-com\nendpoint_url: http://127.0.0.1:{port}\n{lines}".rstrip())(story)

    return change


def write(name: str, text: str) -> Callable[[Story], None]:
    def change(story: Story) -> None:
        path = story.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return change


def move(name: str, to: str) -> Callable[[Story], None]:
    def change(story: Story) -> None:
        (story.root / name).rename(story.root / to)

    return change


def empty(story: Story) -> None:
    for path in sorted((story.root / "public").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def link_out(story: Story) -> None:
    (story.root / "public/passwd").symlink_to("/etc/passwd")


def latin(story: Story) -> None:
    (story.root / "sitepub.yaml").write_bytes(b"# gr\xfc\xdfe\nsource: public\n")


def lose(story: Story) -> None:
    add("fingerprint: {missing_references: error}")(story)
    write("public/about.html", "<img src=gone.png>")(story)


@dataclass(frozen=True, slots=True)
class Mistake:
    """`says`: how the message begins, `way_out`: the whole hint, with `…` for the site's folder; a problem of sitepub.yaml has its way out in the
    message. `refusal`: what the target's server answers to everything."""

    what: str
    make: Callable[[Story], None]
    words: str
    status: int
    code: str
    says: str
    way_out: str
    refusal: tuple[int, str] | None = None


MISTAKES: tuple[Mistake, ...] = (
    Mistake(
        "no sitepub.yaml yet",
        move("sitepub.yaml", "elsewhere.yaml"),
        "publish",
        4,
        "no-configuration",
        "no `sitepub.yaml` in `…` or above",
        "`sitepub init` writes one",
    ),
    Mistake(
        "the file is called .yml",
        move("sitepub.yaml", "sitepub.yml"),
        "publish",
        4,
        "no-configuration",
        "no `sitepub.yaml` in `…` or above",
        "rename `sitepub.yml` to `sitepub.yaml`",
    ),
    Mistake(
        "another file is named that is not there",
        nothing,
        "plan --config prod.yaml",
        4,
        "no-configuration",
        "`prod.yaml` is not there",
        "name the file, or run `sitepub init` to write one",
    ),
    Mistake(
        "a folder is named as the file",
        nothing,
        "plan --config public",
        4,
        "no-configuration",
        "`public` is a folder",
        "name the file, or run `sitepub init` to write one",
    ),
    Mistake("a file in Latin-1", latin, "plan", 4, "invalid-configuration", "sitepub.yaml:1:5: is not UTF-8: save it in that encoding", ""),
    Mistake(
        "a tab in YAML",
        add("cache:\n\tassets: no-store"),
        "plan",
        4,
        "invalid-configuration",
        "sitepub.yaml:6:1: holds a tab, and YAML is indented with spaces",
        "",
    ),
    Mistake(
        "a bracket that is not closed",
        add("ignore: ['*.map'"),
        "plan",
        4,
        "invalid-configuration",
        "sitepub.yaml:6:1: is not YAML: did not find expected ',' or ']'",
        "",
    ),
    Mistake(
        "an indent too few",
        add("targets:\nlocal: {store: file:x}"),
        "plan",
        4,
        "invalid-configuration",
        "2 problems:\n  sitepub.yaml:5: the key `targets` stands twice, first in line 2\n  sitepub.yaml:6: unknown k",
        "",
    ),
    Mistake(
        "a key with a typo",
        add("retension: {days: 3}"),
        "plan",
        4,
        "invalid-configuration",
        "sitepub.yaml:5: unknown key `retension`, did you mean `retention`?",
        "",
    ),
    Mistake(
        "a key in the wrong section",
        add("store: file:out"),
        "plan",
        4,
        "invalid-configuration",
        "sitepub.yaml:5: unknown key `store`, it belongs under `targets.NAME`",
        "",
    ),
    Mistake(
        "a hyphen for an underscore",
        add("default-target: there"),
        "plan",
        4,
        "invalid-configuration",
        "sitepub.yaml:5: unknown key `default-target`, did you mean `default_target`?",
        "",
    ),
    Mistake(
        "a key twice",
        add("source: dist"),
        "plan",
        4,
        "invalid-configuration",
        "sitepub.yaml:5: the key `source` stands twice, first in line 1",
        "",
    ),
    Mistake(
        "a number as text",
        add("retention: {days: thirty}"),
        "plan",
        4,
        "invalid-configuration",
        "sitepub.yaml:5: `retention.days` must be a whole number from 0 to 36500, not `thirty`",
        "",
    ),
    Mistake(
        "a list as text",
        add("ignore: '*.map'"),
        "plan",
        4,
        "invalid-configuration",
        "sitepub.yaml:5: `ignore` must be a list of gitignore patterns, not `*.map`: put it in brackets",
        "",
    ),
    Mistake(
        "yes for a choice",
        add("fingerprint: {aliases: yes}"),
        "plan",
        4,
        "invalid-configuration",
        "sitepub.yaml:5: `fingerprint.aliases` must be one of `always`, `auto`, `never`, not `yes`",
        "",
    ),
    Mistake(
        "a header that S3 can't answer",
        add("headers: [{match: '*', set: {X-Frame-Options: DENY}}]"),
        "plan",
        4,
        "invalid-configuration",
        "sitepub.yaml:5: `headers.set` can't hold `X-Frame-Options`, S3 answers only with `Cache-Control`, `Conten",
        "",
    ),
    Mistake(
        "a redirect in a circle",
        add("redirects: [{from: /a, to: /b}, {from: /b, to: /a}]"),
        "plan",
        4,
        "invalid-configuration",
        "sitepub.yaml:5: `redirects` leads in a circle: `/a` → `/b` → `/a`",
        "",
    ),
    Mistake(
        "a redirect over a page",
        add("redirects: [{from: /about.html, to: /}]"),
        "plan",
        4,
        "redirect-conflict",
        "`/about.html` in `redirects` would stand at `about.html`, which is a file of the site",
        "take the redirect or the file out",
    ),
    Mistake(
        "Cache-Control in minutes",
        add("cache: {entries: max-age=5m}"),
        "plan",
        4,
        "invalid-configuration",
        "sitepub.yaml:5: `cache.entries` must be a value of Cache-Control, not `max-age=5m`: an age is a whole num",
        "",
    ),
    Mistake(
        "a variable that is not set",
        replace("public", "${SITE_DIR}"),
        "plan",
        4,
        "invalid-configuration",
        "sitepub.yaml:1: `source` needs the environment variable `SITE_DIR`, which is not set; set it, or write `$",
        "",
    ),
    Mistake(
        "a bucket without s3://",
        target("store: www-example-com"),
        "plan",
        4,
        "invalid-configuration",
        "sitepub.yaml:4: `targets.there.store` must be `file:PATH` or `s3://bucket[/prefix]`, not `www-example-com`",
        "",
    ),
    Mistake(
        "a bucket's website address",
        target("store: https://www-example-com.s3.amazonaws.com/"),
        "plan",
        4,
        "invalid-configuration",
        "sitepub.yaml:4: `targets.there.store` must be `file:PATH` or `s3://bucket[/prefix]`, not `https://www-exa",
        "",
    ),
    Mistake(
        "a bucket in capitals",
        target("store: s3://WWW-Example"),
        "plan",
        4,
        "invalid-configuration",
        "sitepub.yaml:4: `targets.there.store` must be `file:PATH` or `s3://bucket[/prefix]`, not `s3://WWW-Exampl",
        "",
    ),
    Mistake(
        "a region by its city",
        target("store: s3://www-example-com\nregion: Frankfurt"),
        "plan",
        4,
        "invalid-configuration",
        "sitepub.yaml:5: `targets.there.region` must be one of AWS's such as `eu-central-1`, unless `endpoint_url`",
        "",
    ),
    Mistake(
        "a distribution's domain",
        target("store: s3://www-example-com\ndistribution: d123abc.cloudfront.net"),
        "plan",
        4,
        "invalid-configuration",
        "sitepub.yaml:5: `targets.there.distribution` must be the id of a distribution, such as `E190XXXXXL0LJU`, ",
        "",
    ),
    Mistake(
        "an account as a number",
        target("store: s3://www-example-com\naccount: 123456789012"),
        "plan",
        4,
        "invalid-configuration",
        "sitepub.yaml:5: `targets.there.account` must be an AWS account, 12 digits in quotes, not `123456789012`: ",
        "",
    ),
    Mistake(
        "a URL without its scheme",
        target("store: file:out\nurl: www.example.com"),
        "plan",
        4,
        "invalid-configuration",
        "sitepub.yaml:5: `targets.there.url` must be a URL or a path that starts with `/`, not `www.example.com`: ",
        "",
    ),
    Mistake(
        "a domain with its scheme",
        target("store: file:out\ndomains: ['https://www.example.com']"),
        "plan",
        4,
        "invalid-configuration",
        "sitepub.yaml:5: `targets.there.domains` must be a host name such as `www.example.com`, not `https://www.e",
        "",
    ),
    Mistake(
        "a branch with refs/heads",
        target("store: file:out\nbranch: refs/heads/main"),
        "plan",
        4,
        "invalid-configuration",
        "sitepub.yaml:5: `targets.there.branch` must be the name of a branch, not `refs/heads/main`: the short nam",
        "",
    ),
    Mistake(
        "the store is the source",
        target("store: file:public"),
        "plan",
        4,
        "invalid-configuration",
        "sitepub.yaml:4: `targets.there.store` is `source` itself, name another folder",
        "",
    ),
    Mistake(
        "the store is in the source",
        target("store: file:public/out"),
        "plan",
        4,
        "invalid-configuration",
        "sitepub.yaml:4: `targets.there.store` lies inside `source` and would be published too, name a folder outside",
        "",
    ),
    Mistake(
        "a home folder with ~",
        target("store: file:~/www"),
        "plan",
        4,
        "invalid-configuration",
        "sitepub.yaml:4: `targets.there.store` must be `file:PATH` or `s3://bucket[/prefix]`, not `file:~/www`: `~",
        "",
    ),
    Mistake(
        "a target that is not there",
        nothing,
        "publish --target prodcution",
        2,
        "unknown-target",
        "`sitepub.yaml` has no target `prodcution`",
        "known are `there`",
    ),
    Mistake(
        "no target chosen of two",
        add("  other: {store: file:other}"),
        "plan",
        2,
        "no-target-chosen",
        "`sitepub.yaml` has several targets: `there`, `other`",
        "name one with `--target`, or set `default_target`",
    ),
    Mistake(
        "the site is not built yet",
        move("public", "site"),
        "publish",
        4,
        "no-source",
        "`…/public` is not there",
        "run the build, or let `source` name the folder that it writes to",
    ),
    Mistake(
        "an empty build",
        empty,
        "publish",
        4,
        "empty-source",
        "`…/public` holds nothing to publish",
        "run the build, or let `source` name the folder that it writes to",
    ),
    Mistake(
        "the source is a file",
        replace("public", "public/index.html"),
        "publish",
        4,
        "no-source",
        "`…/public/index.html` is not a folder",
        "run the build, or let `source` name the folder that it writes to",
    ),
    Mistake(
        "the build fails",
        add("build: echo no such theme >&2; exit 3"),
        "publish",
        4,
        "build-failed",
        "`build:` ended with exit status 3: `echo no such theme >&2; exit 3`",
        "run it by hand in `…`, or publish what is there with `--no-build`",
    ),
    Mistake(
        "the builder is not installed",
        add("build: hugoo --minify"),
        "publish",
        4,
        "build-failed",
        "`build:` ended with exit status 127: `hugoo --minify`",
        "install what it calls, or add it to PATH; run it by hand in `…`, or publish what is there with `--no-build`",
    ),
    Mistake(
        "a secret in the site",
        write("public/.env.production", "KEY=x"),
        "publish",
        1,
        "looks-like-secret",
        "`.env.production` looks like a secret",
        "take them out of the source: `ignore:` leaves them out, `allow:` publishes them",
    ),
    Mistake(
        "a private key in the site",
        write("public/certs/server.pem", "x"),
        "publish",
        1,
        "looks-like-secret",
        "`certs/server.pem` looks like a secret",
        "take them out of the source: `ignore:` leaves them out, `allow:` publishes them",
    ),
    Mistake(
        "a link out of the site",
        link_out,
        "publish",
        1,
        "link-leaves-source",
        "`passwd` leads out of the source, to `/etc/passwd`",
        "`links: follow` publishes what such links lead to",
    ),
    Mistake(
        "a page that loads what is not there, with `error`",
        lose,
        "publish",
        1,
        "missing-references",
        "`about.html` line 1 loads `gone.png`, which is not in the site",
        "add the files, or set `fingerprint.missing_references: warn`",
    ),
    Mistake(
        "no credentials",
        bucket(AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY=""),
        "publish",
        4,
        "no-credentials",
        "`s3://www-example-com/.sitepub/state.json`: no AWS credentials were found",
        "set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or name a `profile:` in the target",
    ),
    Mistake(
        "half of the credentials",
        bucket(AWS_SECRET_ACCESS_KEY=""),
        "publish",
        4,
        "partial-credentials",
        "`s3://www-example-com/.sitepub/state.json`: the AWS credentials are incomplete",
        "an access key needs its secret key: set both, or neither",
    ),
    Mistake(
        "a profile that is not there",
        bucket("profile: wrok"),
        "publish",
        4,
        "no-profile",
        "there is no AWS profile `wrok`",
        "`aws configure list-profiles` lists them",
    ),
    Mistake(
        "no network",
        bucket(),
        "status",
        4,
        "unreachable",
        "`s3://www-example-com/.sitepub/state.json`: the server refuses connections",
        "check the network, `endpoint_url` and `region`",
    ),
    Mistake(
        "a folder that does not exist",
        nothing,
        "-C nosuch plan",
        4,
        "no-folder",
        "`nosuch` is not a folder",
        "name an existing folder after `-C`",
    ),
    Mistake(
        "a command with a typo",
        nothing,
        "plubish",
        2,
        "usage",
        "there is no command `plubish`, did you mean `publish`?",
        "`sitepub --help` shows its options",
    ),
    Mistake(
        "an option with a typo",
        nothing,
        "publish --dry-rnu",
        2,
        "usage",
        "there is no option `--dry-rnu`, did you mean `--dry-run`?",
        "`sitepub publish --help` shows its options",
    ),
    Mistake(
        "a permit with a typo",
        nothing,
        "publish --allow shrnk",
        2,
        "usage",
        "invalid value for `--allow`: `shrnk` is not one of `shrink`, `foreign`, `diverged`, `older`, `dirty`, `br",
        "`sitepub publish --help` shows its options",
    ),
    Mistake(
        "a release that never was",
        nothing,
        "rollback 20200101T000000Z-00000000",
        2,
        "unknown-release",
        "`20200101T000000Z-00000000` is neither a release nor a published commit",
        "`sitepub releases` lists what there is",
    ),
    Mistake(
        "rollback before any publish",
        nothing,
        "rollback",
        1,
        "no-earlier-release",
        "nothing was published yet",
        "`sitepub publish` publishes",
    ),
    Mistake(
        "a file that the site does not have",
        nothing,
        "explain abuot.html",
        2,
        "no-such-file",
        "`abuot.html` is not in the site",
        "`about.html` is",
    ),
    Mistake(
        "a commit outside of git",
        nothing,
        "publish --ref main",
        2,
        "no-repository",
        "`…` is in no git repository, so `--ref main` names nothing",
        "leave `--ref` out",
    ),
    Mistake(
        "hooks outside of git",
        nothing,
        "hook install --post-push",
        4,
        "outside-git",
        "`…` is in no git repository",
        "run it in the site's repository",
    ),
    Mistake(
        "a workflow outside of git",
        nothing,
        "init --ci github",
        4,
        "outside-git",
        "`…` is in no git repository",
        "run it in the site's repository",
    ),
    Mistake(
        "init where a file is already",
        nothing,
        "init",
        1,
        "already-there",
        "`…/sitepub.yaml` is there already",
        "edit it, or move it away first",
    ),
    Mistake("the store is a file", write("out", "x"), "publish", 4, "no-folder", "`file:…/out` is a file", "name a folder in `store:`"),
    Mistake(
        "a page into a folder that is not there",
        nothing,
        "plan --html report/plan.html",
        4,
        "unwritable",
        "`report/plan.html` has no folder `…/report` to stand in",
        "name a file in a folder that is there after `--html`",
    ),
    Mistake(
        "an unknown shell",
        nothing,
        "completion powershell",
        2,
        "usage",
        "invalid value for `SHELL`: `powershell` is not one of `bash`, `zsh`, `fish`",
        "`sitepub completion --help` shows its options",
    ),
    Mistake(
        "a policy for what nobody knows",
        nothing,
        "policy --for deploy",
        2,
        "usage",
        "invalid value for `--for`: `deploy` is not one of `publish`, `plan`, `up`, `down`, `preview`",
        "`sitepub policy --help` shows its options",
    ),
    Mistake(
        "verify before any publish",
        nothing,
        "verify",
        4,
        "not-managed",
        "sitepub has published nothing to `file:…/out` yet",
        "`sitepub publish` publishes, `sitepub adopt` takes over what another tool put there",
    ),
    Mistake(
        "a path with a star to invalidate in a folder",
        nothing,
        "invalidate '/blog/*'",
        4,
        "no-distribution-named",
        "target `there` has no distribution to invalidate",
        "name it in `distribution:` of the target",
    ),
    Mistake(
        "an expired session",
        nothing,
        "publish",
        4,
        "expired-credentials",
        "`s3://www-example-com/.sitepub/state.json`: the credentials have expired",
        "get new ones, for example with `aws sso login`; in CI, ask for a longer session",
        (400, "ExpiredToken"),
    ),
    Mistake(
        "a region that is not the bucket's",
        nothing,
        "publish",
        4,
        "wrong-region",
        "the bucket `www-example-com` is not in `eu-central-1`",
        "set `region: …` in the target",
        (301, "PermanentRedirect"),
    ),
    Mistake(
        "a bucket that is not there",
        nothing,
        "publish",
        4,
        "no-bucket",
        "there is no bucket `www-example-com`",
        "create it, run `sitepub up`, or correct `store:`",
        (404, "NoSuchBucket"),
    ),
    Mistake(
        "an access key with a typo",
        nothing,
        "publish",
        4,
        "unknown-credentials",
        "`s3://www-example-com/.sitepub/state.json`: AWS does not know the access key",
        "look at `AWS_ACCESS_KEY_ID`, or name a `profile:`",
        (403, "InvalidAccessKeyId"),
    ),
    Mistake(
        "a secret key with a typo",
        nothing,
        "publish",
        4,
        "wrong-signature",
        "`s3://www-example-com/.sitepub/state.json`: the secret key does not fit the access key",
        "look at `AWS_SECRET_ACCESS_KEY`: a space or a line end at its edge is enough",
        (403, "SignatureDoesNotMatch"),
    ),
    Mistake(
        "no permission",
        nothing,
        "publish",
        4,
        "access-denied",
        "`s3://www-example-com/.sitepub/state.json`: these credentials may not use `s3:GetObject`",
        "`sitepub policy` prints the policy that is needed; a bucket policy may deny too",
        (403, "AccessDenied"),
    ),
    Mistake(
        "a clock that is wrong",
        nothing,
        "publish",
        4,
        "wrong-clock",
        "`s3://www-example-com/.sitepub/state.json`: this machine's clock differs too much from the server's",
        "set the clock, for example by NTP",
        (403, "RequestTimeTooSkewed"),
    ),
)
