"""What git says of a run: its commit, whether it may be published to this target, and whether what is live is older."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from sitepub.core.ancestry import Relation, decide_order, needs_remote_tip
from sitepub.core.model import Commit, Warning
from sitepub.core.settings import Config, Target
from sitepub.errors import RefusedError, UsageError
from sitepub.local.checkout import find_checkout, has_git, point_to_live

if TYPE_CHECKING:
    from sitepub.local.git import Repository
    from sitepub.wishes import Permits


class History(Struct, frozen=True):
    """`commit` None outside of git, and before the first commit. `branch`: the one that guards the target, if any."""

    repository: Repository | None
    commit: Commit | None
    branch: str | None
    permits: Permits
    warnings: tuple[Warning, ...] = ()

    def judge(self, live: Commit | None) -> tuple[Warning, ...]:
        """Raises HeldError where ours is older than what is live, RefusedError where histories diverged."""
        relation = Relation.UNKNOWN
        if live is not None and self.commit is not None and self.repository is not None:
            relation = self.repository.relation(self.commit.id, live.id)
        order = decide_order(
            relation,
            mine=self.commit,
            live=live,
            is_remote_tip=needs_remote_tip(relation) and self._is_remote_tip(relation, live),
            allows=self.permits,
        )
        if order.stop is not None:
            raise order.stop
        return order.warnings

    def _is_remote_tip(self, relation: Relation, live: Commit | None) -> bool:
        """An older commit counts only on the branch that the live one came from: commits were dropped there. The tip of another branch, which
        the live one has merged, is just old."""
        branch = self.branch or (self.commit.branch if self.commit else None)
        if branch is None or self.commit is None or self.repository is None:
            return False
        if relation is Relation.OLDER and self.branch is None and (live is None or live.branch != branch):
            return False
        return self.repository.is_tip_of_remote(branch, self.commit.id)


def mark_live(config: Config, target: Target, commit: Commit | None) -> tuple[Warning, ...]:
    """So that `git log refs/sitepub/TARGET..` tells what is not yet live; previews come and go without. No reason to fail: the site is live."""
    if target.preview is not None:
        return ()
    checkout = find_checkout(config.path.parent) if commit is not None and has_git() else None
    problem = point_to_live(checkout, target.name, commit.id) if checkout is not None and commit is not None else None
    return (Warning("no-live-reference", f"`refs/sitepub/{target.name}` could not be set: {problem}"),) if problem else ()


def find_history(config: Config, target: Target, permits: Permits, revision: str) -> History:
    """Of any commit of the repository, whatever is checked out. Raises UsageError where there is none, RefusedError for a commit that is
    not on the target's `branch:`."""
    from sitepub.local.git import find_repository

    repository = find_repository(config.path.parent)
    if repository is None:
        raise UsageError(
            "no-repository", f"`{config.path.parent}` is in no git repository, so `--ref {revision}` names nothing", "leave `--ref` out"
        )
    commit = repository.find_commit(revision)
    if target.branch is None:
        return History(repository, commit, None, permits)
    if not repository.holds(target.branch, commit.id):
        message = f"`{target.name}` is published from branch `{target.branch}` alone, which does not hold commit `{commit.id[:8]}`"
        raise RefusedError("wrong-branch", message, f"merge it into `{target.branch}`, or correct `branch:` of the target")
    return History(repository, replace(commit, branch=target.branch), target.branch, permits)


def read_history(config: Config, target: Target, permits: Permits) -> History:
    """Raises RefusedError where the target's `branch:` guards it against this checkout."""
    folder = config.path.parent
    if find_checkout(folder) is None:
        return History(None, None, target.branch, permits, _warn_unguarded(target, f"`{folder}` is in no git repository"))
    from sitepub.local.git import explain_missing, find_repository

    repository = find_repository(folder)
    # what a build writes is no edit of anybody's
    commit = repository.head(config.source if config.build else None) if repository else None
    missing = explain_missing(folder) if repository is None else None
    history = History(repository, commit, target.branch, permits, (missing,) if missing else ())
    if repository is not None and commit is None:
        return replace(history, warnings=_warn_unguarded(target, f"`{folder}` has no commit yet"))
    if target.branch is None or repository is None or commit is None:
        return history
    if not repository.counts_as(target.branch, commit):
        here = f"branch `{commit.branch}`" if commit.branch else f"no branch, but commit `{commit.id[:8]}`"
        message = f"`{target.name}` is published from branch `{target.branch}` alone, and {here} is checked out"
        raise RefusedError("wrong-branch", message, f"`git switch {target.branch}`, or correct `branch:` of the target")
    if commit.branch is None:
        # as CI checks out: detached, at the tip
        history = replace(history, commit=replace(commit, branch=target.branch))
    if commit.is_dirty and not permits.dirty:
        message = "there are uncommitted changes to tracked files: what would be published is in no commit"
        raise RefusedError("dirty-tree", message, "commit or stash them; `--allow dirty` publishes all the same")
    return history


def foresee_history(config: Config, target: Target) -> History:
    """For a plan, which writes nothing: a pull request is planned from its own branch, and an edit before it is committed. What git would
    refuse of a publish is told."""
    from sitepub.wishes import Permits

    try:
        return read_history(config, target, Permits())
    except RefusedError as refused:
        told = Warning(refused.code, f"{refused.message}; `publish` would be refused")
        if refused.code == "dirty-tree":
            history = read_history(config, target, Permits(dirty=True))
        else:
            # what is live comes from the branch, which another one need not contain
            history = read_history(config, replace(target, branch=None), Permits(older=True, diverged=True))
        return replace(history, warnings=(told, *history.warnings))


def _warn_unguarded(target: Target, why: str) -> tuple[Warning, ...]:
    """No reason to refuse: an image or an archive of the site has no history, and is published on purpose."""
    if target.branch is None:
        return ()
    message = f"`{target.name}` is published from branch `{target.branch}` alone, but {why}: it guards nothing here"
    return (Warning("unguarded-branch", message),)
