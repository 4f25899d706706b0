"""The shell scripts that git runs as hooks, made from what they do and read back from themselves. Pure.

A script is the same for every git: POSIX sh, never `set -e`, and it ends with status 0 unless it means to refuse. What stood in its place
before stands beside it and is run first, with the same words and the same input.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from enum import StrEnum
from shlex import quote

from msgspec import Struct
from msgspec.structs import asdict

MARK = "# Written by `sitepub hook install`; `sitepub hook remove` takes it out."
ENTRY = "# sitepub-hook: "
KEPT = ".before-sitepub"
"""The ending of a hook's name that was there before ours."""

DEFAULT = "default"
"""What records are called of a hook that takes each commit's own default target."""


class HookKind(StrEnum):
    """When a hook runs, in our words; `GIT_HOOKS` has git's."""

    POST_PUSH = "post-push"
    PRE_PUSH = "pre-push"
    POST_RECEIVE = "post-receive"


GIT_HOOKS = {HookKind.POST_PUSH: "reference-transaction", HookKind.PRE_PUSH: "pre-push", HookKind.POST_RECEIVE: "post-receive"}
"""Git has no hook after a push: the tracking branch that a push moves tells of it (https://git-scm.com/docs/githooks)."""


class Hook(Struct, frozen=True):
    """`python`: the interpreter that sitepub runs in; `folder` and `config`: where sitepub.yaml is found (`config` '': by search); `ref`: whose
    movement tells that `branch` was pushed; `records`: a folder for logs."""

    kind: HookKind
    python: str
    folder: str
    config: str
    target: str
    branch: str
    ref: str
    records: str

    @property
    def name(self) -> str:
        """As people are told of it."""
        return f"{self.kind} of {self.branch} to {self.called}"

    @property
    def called(self) -> str:
        """The target, by the name that records have."""
        return self.target or DEFAULT


def write_script(hooks: Sequence[Hook]) -> str:
    """One script for hooks of one kind."""
    kind = hooks[0].kind
    parts = ["#!/bin/sh", MARK, *(ENTRY + json.dumps(asdict(hook), sort_keys=True) for hook in hooks), _HEAD]
    if kind is HookKind.POST_PUSH:
        # from git 2.54 on there is a state `preparing`, in which a refusal stops every change of every reference
        parts.append('[ "$1" = committed ] || exit 0')
    parts += [_BODIES[kind].format(**_words(hook)) for hook in hooks]
    return "\n".join([*parts, "exit 0", ""])


def read_script(text: str) -> tuple[Hook, ...] | None:
    """None where it is not one of ours."""
    if MARK not in text.split("\n")[:3]:
        return None
    found = (json.loads(line.removeprefix(ENTRY)) for line in text.split("\n") if line.startswith(ENTRY))
    return tuple(Hook(**{**each, "kind": HookKind(each["kind"])}) for each in found)


def merge_hooks(there: Iterable[Hook], hook: Hook) -> tuple[Hook, ...]:
    """One for each target."""
    return (*(each for each in there if each.target != hook.target), hook)


def configure_commands(hook: Hook, script: str) -> tuple[tuple[str, str], ...]:
    """Git 2.54 and newer run hooks from the configuration too, beside any hook file and whatever `core.hooksPath` says."""
    name = f"hook.sitepub-{hook.kind}"
    return ((f"{name}.event", GIT_HOOKS[hook.kind]), (f"{name}.command", quote(script)))


def _words(hook: Hook) -> dict[str, str]:
    command = [hook.python, "-P", "-m", "sitepub", "hook", "run", f"--{hook.kind}", "-C", hook.folder]
    command += ["--target", hook.target] if hook.target else []
    command += ["--config", hook.config] if hook.config else []
    return {
        "python": quote(hook.python),
        "command": " ".join(map(quote, command)),
        "ref": quote(hook.ref),
        "branch_ref": quote(f"refs/heads/{hook.branch}"),
        "pushed": quote(f"{hook.records}/{hook.called}.pushed"),
        "target": hook.called,
    }


_HEAD = f"""
input=$(cat)
give() {{ [ -z "$input" ] || printf '%s\\n' "$input"; }}
if [ -x "$0{KEPT}" ]; then
  give | "$0{KEPT}" "$@" || exit
fi"""

_FIND = """
new=
while read -r {fields}; do
  [ "$name" = {wanted} ] && new=$oid
done <<END
$input
END
case $new in *[!0-9a-f]*) new= ;; *[1-9a-f]*) ;; *) new= ;; esac"""

_RUN = '(unset $(git rev-parse --local-env-vars); exec {command} "$new")'

_BODIES = {
    # a push waits for its hooks, so nothing is done here but to look whether it was one: git gc and a push of nothing new say `committed` too
    HookKind.POST_PUSH: _FIND.format(fields="old oid name", wanted="{ref}")
    + """
if [ -n "$new" ] && [ -x {python} ] && [ "$(cat {pushed} 2>/dev/null)" != "$new" ] &&
  [ "$(git reflog show -1 --format=%gs {ref} 2>/dev/null)" = "update by push" ]; then
  printf %s "$new" >{pushed}
  """
    + _RUN
    + """ </dev/null >/dev/null 2>&1 &
fi""",
    HookKind.PRE_PUSH: _FIND.format(fields="local oid name remote", wanted="{branch_ref}")
    + """
if [ -n "$new" ] && [ -x {python} ]; then
  """
    + _RUN
    + """ </dev/null >&2 || {{
    echo "sitepub: the push is refused, as {target} can't be published from it; \\`git push --no-verify\\` pushes all the same" >&2
    exit 1
  }}
fi""",
    HookKind.POST_RECEIVE: _FIND.format(fields="old oid name", wanted="{branch_ref}")
    + """
if [ -n "$new" ] && [ -x {python} ]; then
  """
    + _RUN
    + """ </dev/null >&2
fi""",
}
