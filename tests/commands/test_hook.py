"""Hooks in real repositories: real pushes between them, and what was published when they are over."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from sitepub.core.hook_scripts import GIT_HOOKS, HookKind
from sitepub.local.hook_log import MOST_BYTES, trim
from sitepub.local.hooks import CONFIGURED_FROM
from tests.commands.going import PATIENCE
from tests.commands.story import REPOSITORY, Story

IS_CONFIGURED = tuple(map(int, re.findall(r"\d+", subprocess.check_output(["git", "version"], text=True))[:2])) >= CONFIGURED_FROM
"""Whether this machine's git takes hooks from its configuration."""

BUILD = "mkdir -p public && cp page.html public/index.html"


def run(folder: Path, *words: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
    whole = {**os.environ, "PYTHONPATH": str(REPOSITORY), **environment}
    done = subprocess.run(
        words, cwd=folder, capture_output=True, text=True, check=False, env=whole, stdin=subprocess.DEVNULL, timeout=PATIENCE * 2
    )
    assert not check or done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def git(folder: Path, *words: str) -> str:
    return run(folder, "git", *words).stdout.strip()


def sitepub(folder: Path, *words: str, status: int = 0, **environment: str) -> str:
    done = run(folder, sys.executable, "-m", "sitepub", *words, check=False, **environment)
    assert done.returncode == status, f"{done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def wait_until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it did not come to it"
        time.sleep(0.05)


@dataclass(frozen=True, slots=True)
class Ground:
    """`here` is a clone of `there`, a bare repository; what is published stands in `out`."""

    here: Path
    there: Path
    out: Path

    def commit(self, text: str, folder: Path | None = None) -> str:
        place = folder or self.here
        (place / "page.html").write_text(text)
        git(place, "add", "-A")
        git(place, "commit", "-q", "-m", text)
        return git(place, "rev-parse", "HEAD")

    def live(self) -> str:
        page = self.out / "index.html"
        return page.read_text() if page.exists() else ""

    def runs(self) -> int:
        log = self.here / ".git/sitepub/local.log"
        return log.read_text().count("+00:00 exit status") if log.exists() else 0

    def is_idle(self) -> bool:
        record = self.here / ".git/sitepub/local.json"
        return not record.exists() or json.loads(record.read_text())["status"] is not None

    def push(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return run(self.here, "git", "push", *(words or ("-q", "origin", "main")), check=check)

    def hook(self, name: str) -> Path:
        return self.here / ".git/hooks" / name

    def script(self, kind: HookKind) -> Path:
        """What git runs: from 2.54 on its configuration names it."""
        return self.here / f".git/sitepub/{kind}.sh" if IS_CONFIGURED else self.hook(GIT_HOOKS[kind])

    def hooks(self) -> list[str]:
        """All that git may run."""
        told = run(self.here, "git", "config", "--get-regexp", "hook\\.", check=False).stdout.splitlines()
        return sorted([*told, *map(str, self.hook("").iterdir()), *map(str, (self.here / ".git").glob("sitepub/*.sh"))])


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    here, there, out = tmp_path / "here", tmp_path / "there.git", tmp_path / "out"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(there))
    git(tmp_path, "init", "-q", "-b", "main", str(here))
    git(here, "remote", "add", "origin", str(there))
    (here / ".gitignore").write_text("public\n")
    configure(here, out)
    made = Ground(here, there, out)
    made.commit("one")
    return made


def configure(here: Path, out: Path, build: str = BUILD) -> None:
    (here / "sitepub.yaml").write_text(f"source: public\nbuild: {build}\ntargets: {{local: {{store: 'file:{out}', branch: main}}}}\n")


def test_a_pushed_commit_is_published_not_the_working_tree(ground: Ground) -> None:
    assert "installed post-push of main to local" in sitepub(ground.here, "hook", "install", "--post-push")
    (ground.here / "page.html").write_text("being edited")
    ground.push()
    wait_until(lambda: ground.live() == "one")
    assert (ground.here / "page.html").read_text() == "being edited"
    wait_until(ground.is_idle)
    status = sitepub(ground.here, "hook", "status")
    assert "post-push of main to local" in status and "ended with status 0" in status and "published" in status


def test_the_push_does_not_wait(ground: Ground, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    configure(ground.here, ground.out, f"while ! [ -e {gate} ]; do sleep 0.05; done; {BUILD}")
    sitepub(ground.here, "hook", "install", "--post-push")
    ground.commit("slow")
    ground.push()
    assert ground.live() == "" and not gate.exists()
    wait_until(lambda: "has not ended" in sitepub(ground.here, "hook", "status"))
    gate.touch()
    wait_until(lambda: ground.live() == "slow")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_terminal_that_goes_takes_nothing_along(ground: Ground, tmp_path: Path, number: int) -> None:
    gate = tmp_path / "gate"
    configure(ground.here, ground.out, f"while ! [ -e {gate} ]; do sleep 0.05; done; {BUILD}")
    sitepub(ground.here, "hook", "install", "--post-push")
    ground.commit("slow")
    pushing = subprocess.Popen(
        ["sh", "-c", "git push -q origin main; exec sleep 600"],
        cwd=ground.here,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        start_new_session=True,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # under `nohup` the tests ignore it, and so would a shell
    )
    wait_until(lambda: (ground.here / ".git/sitepub/local.json").exists())
    os.killpg(pushing.pid, number)
    pushing.wait(PATIENCE)
    gate.touch()
    wait_until(lambda: ground.live() == "slow")


def test_only_a_push_of_the_branch_publishes(ground: Ground, tmp_path: Path) -> None:
    """Each may tell git's hook that references moved."""
    sitepub(ground.here, "hook", "install", "--post-push")
    ground.push("--dry-run", "origin", "main")
    git(ground.here, "switch", "-q", "-c", "other")
    ground.push("-q", "origin", "other")
    git(ground.here, "switch", "-q", "main")
    elsewhere = tmp_path / "elsewhere"
    git(tmp_path, "clone", "-q", str(ground.there), str(elsewhere))
    git(elsewhere, "switch", "-q", "-c", "main")
    git(elsewhere, "pull", "-q", "origin", "other")
    ground.commit("theirs", elsewhere)
    git(elsewhere, "push", "-q", "origin", "main")
    git(ground.here, "fetch", "-q")
    ground.commit("mine")
    assert ground.push(check=False).returncode != 0, "rejected: it is not the newest"
    git(ground.here, "gc", "-q")
    git(ground.here, "pack-refs", "--all")
    git(ground.here, "remote", "set-head", "origin", "main")
    time.sleep(1)
    assert (ground.runs(), ground.is_idle(), ground.live()) == (0, True, "")


def test_a_push_is_published_once(ground: Ground) -> None:
    """`git gc` and a push of nothing new tell the hook of it once more."""
    sitepub(ground.here, "hook", "install", "--post-push")
    ground.push()
    wait_until(lambda: ground.runs() == 1)
    git(ground.here, "pack-refs", "--all")
    git(ground.here, "gc", "-q")
    ground.push()
    time.sleep(1)
    assert ground.runs() == 1
    ground.commit("two")
    ground.push()
    wait_until(lambda: ground.live() == "two")


def test_a_push_from_a_linked_worktree(ground: Ground, tmp_path: Path) -> None:
    sitepub(ground.here, "hook", "install", "--post-push")
    git(ground.here, "switch", "-q", "-c", "aside")
    linked = tmp_path / "linked"
    git(ground.here, "worktree", "add", "-q", str(linked), "main")
    ground.commit("from afar", linked)
    git(linked, "push", "-q", "origin", "main")
    wait_until(lambda: ground.live() == "from afar")


def test_a_publish_that_fails_is_told_by_status(ground: Ground) -> None:
    configure(ground.here, ground.out, "echo no such template >&2; exit 3")
    sitepub(ground.here, "hook", "install", "--post-push")
    ground.commit("broken")
    assert ground.push().returncode == 0
    wait_until(lambda: ground.runs() == 1)
    wait_until(ground.is_idle)
    told = json.loads(sitepub(ground.here, "hook", "status", "--json"))
    assert told["runs"][0]["status"] == 4
    assert any("no such template" in line for line in told["runs"][0]["log"])
    assert "pushing again, or `sitepub publish`, tries again" in told["runs"][0]["log"][-1]
    ground.push()
    wait_until(lambda: ground.runs() == 2)


FOREIGN = '#!/bin/sh\necho "$1" >>foreign.txt\ncat >>foreign.txt\n[ ! -e refuse ] || [ "$1" != prepared ]\n'


def put_foreign(path: Path, text: str = FOREIGN) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o711)


def test_a_foreign_hook_runs_first_and_comes_back(ground: Ground) -> None:
    path = ground.hook("reference-transaction")
    put_foreign(path)
    sitepub(ground.here, "hook", "install", "--post-push")
    sitepub(ground.here, "hook", "install", "--post-push")
    ground.push()
    wait_until(lambda: ground.live() == "one")
    heard = (ground.here / "foreign.txt").read_text()
    assert "prepared\n" in heard and "committed\n" in heard and "refs/remotes/origin/main" in heard
    (ground.here / "refuse").touch()
    assert run(ground.here, "git", "branch", "x", check=False).returncode != 0, "what it refuses is refused"
    (ground.here / "refuse").unlink()
    sitepub(ground.here, "hook", "remove")
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == (FOREIGN, 0o711)
    assert sorted(each.name for each in path.parent.iterdir() if not each.name.endswith(".sample")) == ["reference-transaction"]


def test_what_was_not_there_before_is_gone_afterwards(ground: Ground) -> None:
    before = ground.hooks()
    sitepub(ground.here, "hook", "install", "--post-push", "--pre-push")
    assert len(ground.hooks()) >= len(before) + 2
    told = json.loads(sitepub(ground.here, "hook", "remove", "--json"))
    assert sorted(each["hook"] for each in told["removed"]) == ["post-push", "pre-push"]
    assert ground.hooks() == before
    assert "no hook of sitepub is installed" in sitepub(ground.here, "hook", "status")


def test_two_targets_share_a_hook(ground: Ground, tmp_path: Path) -> None:
    second = tmp_path / "second"
    (ground.here / "sitepub.yaml").write_text(
        f"source: public\nbuild: {BUILD}\ndefault_target: local\ntargets:\n  local: {{store: 'file:{ground.out}', branch: main}}\n"
        f"  second: {{store: 'file:{second}', branch: stage}}\n"
    )
    ground.commit("both")
    sitepub(ground.here, "hook", "install", "--post-push")
    sitepub(ground.here, "hook", "install", "--post-push", "--target", "second")
    git(ground.here, "branch", "-q", "stage")
    ground.push("-q", "origin", "stage")
    wait_until(lambda: (second / "index.html").exists())
    assert ground.live() == ""
    sitepub(ground.here, "hook", "remove", "--target", "second")
    ground.push()
    wait_until(lambda: ground.live() == "both")


def test_a_folder_of_hooks_of_its_own(ground: Ground) -> None:
    """As husky sets it."""
    git(ground.here, "config", "core.hooksPath", ".husky/_")
    (ground.here / ".husky/_").mkdir(parents=True)
    (ground.here / ".husky/_/.gitignore").write_text("*")
    told = sitepub(ground.here, "hook", "install", "--post-push")
    place = ".git/sitepub/post-push.sh" if IS_CONFIGURED else ".husky/_/reference-transaction"
    assert place in told and "part of the repository" not in told
    ground.push()
    wait_until(lambda: ground.live() == "one")


def test_a_tracked_folder_of_hooks_is_told(ground: Ground) -> None:
    git(ground.here, "config", "core.hooksPath", "hooks")
    assert "is part of the repository" in sitepub(ground.here, "hook", "install", "--pre-push")


def test_hooks_that_other_repositories_share_are_left_alone(ground: Ground, tmp_path: Path) -> None:
    git(ground.here, "config", "core.hooksPath", str(tmp_path / "shared"))
    if IS_CONFIGURED:
        sitepub(ground.here, "hook", "install", "--post-push")
        ground.push()
        wait_until(lambda: ground.live() == "one")
        assert not (tmp_path / "shared").exists()
        return
    assert "which other repositories use too" in sitepub(ground.here, "hook", "install", "--post-push", status=1)
    assert not (tmp_path / "shared").exists()


def test_a_hook_that_was_moved_aside_is_told_and_removed(ground: Ground) -> None:
    """pre-commit keeps what it finds as `.legacy`."""
    sitepub(ground.here, "hook", "install", "--pre-push")
    ground.script(HookKind.PRE_PUSH).rename(ground.hook("pre-push.legacy"))
    assert "does not run" in sitepub(ground.here, "hook", "status") or IS_CONFIGURED
    sitepub(ground.here, "hook", "remove")
    assert not ground.hook("pre-push.legacy").exists()


@pytest.mark.skipif(IS_CONFIGURED, reason="hooks do not stand in the folder that managers know")
@pytest.mark.parametrize("ending", [".legacy", ".old"])
def test_a_manager_that_puts_its_own_hook_in_place_again(ground: Ground, ending: str) -> None:
    """As lefthook (`.old`) and pre-commit (`.legacy`) do: installing again brings ours back, once, and removing leaves theirs alone."""
    place, theirs = ground.hook("pre-push"), "#!/bin/sh\n# generated by pre-commit, or by nobody\ntouch theirs\n"
    put_foreign(place, theirs)
    sitepub(ground.here, "hook", "install", "--pre-push")
    for _ in range(2):
        place.rename(ground.hook(f"pre-push{ending}"))
        put_foreign(place, theirs)
        assert ("does not run" in sitepub(ground.here, "hook", "status")) is (ending == ".old")
        sitepub(ground.here, "hook", "install", "--pre-push")
        assert sorted(path.name for path in ground.hook("").glob("pre-push*") if path.suffix != ".sample") == [
            "pre-push",
            "pre-push.before-sitepub",
        ]
    configure(ground.here, ground.out, "exit 3")
    ground.commit("broken")
    assert ground.push(check=False).returncode != 0 and (ground.here / "theirs").exists()
    place.rename(ground.hook(f"pre-push{ending}"))
    put_foreign(place, theirs)
    sitepub(ground.here, "hook", "remove")
    assert [path.name for path in ground.hook("").glob("pre-push*") if path.suffix != ".sample"] == ["pre-push"]
    assert place.read_text() == theirs


@pytest.mark.parametrize("state", ["preparing", "prepared", "aborted"])
def test_no_change_of_references_is_ever_refused(ground: Ground, state: str) -> None:
    """Git 2.54 asks in a state of its own, and takes a refusal for all references."""
    sitepub(ground.here, "hook", "install", "--post-push")
    done = subprocess.run([ground.script(HookKind.POST_PUSH), state], input=b"0 1 refs/remotes/origin/main\n", cwd=ground.here, check=False)
    assert done.returncode == 0


def test_a_python_that_is_gone_stops_no_push(ground: Ground) -> None:
    sitepub(ground.here, "hook", "install", "--post-push", "--pre-push")
    for script in map(ground.script, (HookKind.POST_PUSH, HookKind.PRE_PUSH)):
        script.write_text(script.read_text().replace(sys.executable, "/gone/python"))
    ground.push()
    assert "`/gone/python` is gone" in sitepub(ground.here, "hook", "status")


def pretend(folder: Path, version: str) -> dict[str, str]:
    """An environment whose git says that it is another one."""
    fake = folder / version / "git"
    put_foreign(fake, f'#!/bin/sh\n[ "$1" != version ] || {{ echo "git version {version}"; exit; }}\nexec {shutil.which("git")} "$@"\n')
    return {"PATH": f"{fake.parent}:{os.environ['PATH']}"}


def test_a_hook_from_before_a_newer_git_moves_to_it(ground: Ground, tmp_path: Path) -> None:
    older, newer = pretend(tmp_path, "2.39.5"), pretend(tmp_path, "2.54.1")
    put_foreign(ground.hook("pre-push"))
    sitepub(ground.here, "hook", "install", "--pre-push", **older)
    assert ground.hook("pre-push").read_text() != FOREIGN
    sitepub(ground.here, "hook", "install", "--pre-push", **newer)
    assert ground.hook("pre-push").read_text() == FOREIGN
    assert len(json.loads(sitepub(ground.here, "hook", "status", "--json", **newer))["hooks"]) == 1


def test_a_hook_of_an_older_git_goes_alone(ground: Ground, tmp_path: Path) -> None:
    """A machine may have two gits."""
    (ground.here / "sitepub.yaml").write_text(
        f"source: public\ndefault_target: local\ntargets: {{local: {{store: 'file:{ground.out}'}}, second: {{store: 'file:{tmp_path}/second'}}}}\n"
    )
    older, newer = pretend(tmp_path, "2.39.5"), pretend(tmp_path, "2.54.1")
    sitepub(ground.here, "hook", "install", "--pre-push", **newer)
    sitepub(ground.here, "hook", "install", "--pre-push", "--target", "second", **older)
    assert ground.hook("pre-push").exists()
    sitepub(ground.here, "hook", "remove", "--target", "second", **newer)
    assert not ground.hook("pre-push").exists()
    assert git(ground.here, "config", "hook.sitepub-pre-push.event") == "pre-push"
    sitepub(ground.here, "hook", "remove", **newer)
    assert run(ground.here, "git", "config", "--get-regexp", "hook\\.", check=False).stdout == ""


def test_newer_gits_are_configured(ground: Ground, tmp_path: Path) -> None:
    """Git's own word for its version is all that differs; where the tests' git is as new, the other tests here show that it runs them."""
    path = pretend(tmp_path, "2.54.1")
    git(ground.here, "config", "core.hooksPath", str(tmp_path / "shared"))
    sitepub(ground.here, "hook", "install", "--post-push", **path)
    assert git(ground.here, "config", "hook.sitepub-post-push.event") == "reference-transaction"
    script = git(ground.here, "config", "hook.sitepub-post-push.command")
    assert run(ground.here, "sh", "-c", f"{script} preparing").returncode == 0
    assert "does not run" not in sitepub(ground.here, "hook", "status", **path)
    sitepub(ground.here, "hook", "remove", **path)
    assert run(ground.here, "git", "config", "--get-regexp", "hook\\.", check=False).stdout == ""
    assert not Path(script).exists()


def test_a_push_whose_site_does_not_build_is_refused(ground: Ground) -> None:
    sitepub(ground.here, "hook", "install", "--pre-push")
    ground.push()
    configure(ground.here, ground.out, "echo no such template >&2; exit 3")
    ground.commit("broken")
    refused = ground.push(check=False)
    assert refused.returncode != 0
    assert "no such template" in refused.stderr and "the push is refused" in refused.stderr
    assert git(ground.there, "log", "-1", "--format=%s", "main") == "one"
    git(ground.here, "switch", "-q", "-c", "draft")
    ground.push("-q", "origin", "draft")
    git(ground.here, "switch", "-q", "main")
    ground.push("-q", "--no-verify", "origin", "main")
    assert ground.live() == "", "it only looks"


def test_a_bare_repository_publishes_what_it_receives(ground: Ground) -> None:
    assert "installed post-receive of main to default" in sitepub(ground.there, "hook", "install", "--post-receive")
    pushed = ground.push("origin", "main")
    assert ground.live() == "one"
    assert "remote: published" in pushed.stderr, "the pusher sees it"
    git(ground.here, "switch", "-q", "-c", "draft")
    ground.commit("draft")
    ground.push("-q", "origin", "draft")
    assert ground.live() == "one"
    assert "ended with status 0" in sitepub(ground.there, "hook", "status")


def test_a_bare_repository_publishes_to_a_bucket(ground: Ground, bucket_story: Story) -> None:
    lines = "".join(f"    {line}\n" for line in bucket_story.target.splitlines())
    (ground.here / "sitepub.yaml").write_text(f"source: public\nbuild: {BUILD}\ntargets:\n  live:\n{lines}")
    ground.commit("to S3")
    sitepub(ground.there, "hook", "install", "--post-receive")
    run(ground.here, "git", "push", "-q", "origin", "main", **bucket_story.environment)
    assert bucket_story.site()["index.html"] == "to S3"


def test_a_commit_without_configuration_is_told(ground: Ground) -> None:
    git(ground.here, "rm", "-q", "sitepub.yaml")
    ground.commit("bare of it")
    sitepub(ground.there, "hook", "install", "--post-receive")
    assert "has no `sitepub.yaml`" in ground.push("origin", "main").stderr


def test_a_broken_push_to_a_bare_repository_is_told(ground: Ground) -> None:
    configure(ground.here, ground.out, "echo no such template >&2; exit 3")
    ground.commit("broken")
    sitepub(ground.there, "hook", "install", "--post-receive")
    assert "remote: " in (told := ground.push("origin", "main").stderr) and "no such template" in told


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["install"], 2, "which hook?"),
        (["install", "--post-receive"], 1, "only a bare repository receives pushes"),
        (["run"], 2, "`hook run` is for hooks alone"),
        (["install", "--post-push", "x"], 2, "takes no `x`"),
    ],
)
def test_what_makes_no_sense_is_told(ground: Ground, words: list[str], status: int, told: str) -> None:
    assert told in sitepub(ground.here, "hook", *words, status=status)


def test_outside_of_a_repository(tmp_path: Path) -> None:
    assert "is in no git repository" in sitepub(tmp_path, "hook", "status", status=4)


def test_a_log_stays_small(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"".join(b"line %d\n" % number for number in range(100_000)))
    trim(log)
    body = log.read_bytes()
    assert len(body) <= MOST_BYTES and body.startswith(b"line ") and body.endswith(b"line 99999\n")
