"""`sitepub hook install|remove|status`: git hooks that publish, or refuse what can't be published."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sitepub.commands.options import Invocation, common_options
from sitepub.core.hook_scripts import HookKind
from sitepub.errors import ExitStatus, UsageError

if TYPE_CHECKING:
    from sitepub import hooking
    from sitepub.local.checkout import Checkout


@click.command("hook", short_help="publish when git pushes: install, remove or look at hooks")
@common_options
@click.argument("action", type=click.Choice(["install", "remove", "status", "run"]), metavar="install|remove|status")
@click.option("--post-push", is_flag=True, help="Publish the pushed commit after each successful push of the target's branch.")
@click.option("--pre-push", is_flag=True, help="Refuse a push whose site does not build and plan.")
@click.option("--post-receive", is_flag=True, help="In a bare repository: publish what is pushed to it, with progress shown to the pusher.")
@click.argument("commit", required=False, metavar="")
def command(invocation: Invocation, action: str, post_push: bool, pre_push: bool, post_receive: bool, commit: str | None) -> int:
    """Installs git hooks, takes out exactly what was installed, or tells what is there and how its last run ended. Hooks of others stay, and are run
    first. A push is never slowed by `--post-push`: what it publishes goes on by itself and is logged."""
    from sitepub import hooking

    asked = {HookKind.POST_PUSH: post_push, HookKind.PRE_PUSH: pre_push, HookKind.POST_RECEIVE: post_receive}
    kinds = tuple(kind for kind, is_asked in asked.items() if is_asked)
    if action == "run":
        if len(kinds) != 1 or commit is None:
            raise UsageError("usage", "`hook run` is for hooks alone", "`sitepub hook install` writes them")
        return hooking.run_hook(kinds[0], invocation.folder, invocation.config, invocation.target, commit, invocation.environment)
    if commit is not None:
        raise UsageError("usage", f"`hook {action}` takes no `{commit}`", "`sitepub hook --help` shows its options")
    return {"install": _install, "remove": _remove, "status": _tell}[action](invocation, kinds)


def _install(invocation: Invocation, kinds: tuple[HookKind, ...]) -> int:
    from sitepub import hooking, report
    from sitepub.local import hooks
    from sitepub.report_hooks import changes_as_json

    if not kinds:
        raise UsageError("usage", "which hook?", "`--post-push`, `--pre-push`, or `--post-receive` in a bare repository")
    checkout = hooking.require_checkout(invocation.folder)
    told = []
    for kind in kinds:
        path, warnings = hooks.install(checkout, hook := hooking.make_hook(kind, checkout, _find_asked(invocation, checkout)))
        invocation.say(report.warnings_as_text(warnings))
        told.append((hook, path))
    text = "\n".join(f"installed {hook.name} ({path})" for hook, path in told)
    invocation.answer(text, lambda: changes_as_json("installed", [hook for hook, _ in told]))
    return ExitStatus.FINE


def _remove(invocation: Invocation, kinds: tuple[HookKind, ...]) -> int:
    from sitepub import hooking
    from sitepub.local import hooks
    from sitepub.report_hooks import changes_as_json

    gone = hooks.remove(hooking.require_checkout(invocation.folder), kinds or tuple(HookKind), invocation.target)
    text = "\n".join(f"removed {hook.name}" for hook in gone) or "there was nothing to remove"
    invocation.answer(text, lambda: changes_as_json("removed", gone))
    return ExitStatus.FINE


def _tell(invocation: Invocation, kinds: tuple[HookKind, ...]) -> int:
    from sitepub import hooking, report_hooks
    from sitepub.local import hooks
    from sitepub.local.hook_log import find_run, log_path, read_end

    checkout = hooking.require_checkout(invocation.folder)
    found = [each for each in hooks.look(checkout) if not kinds or each.hook.kind in kinds]
    records = {each.hook.called: Path(each.hook.records) for each in found}
    runs = {target: run for target, folder in records.items() if (run := find_run(folder, target)) is not None}
    ends = {target: read_end(log_path(folder, target), 200 if invocation.verbose else 12) for target, folder in records.items()}
    invocation.answer(report_hooks.hooks_as_text(found, runs, ends), lambda: report_hooks.hooks_as_json(found, runs, ends))
    return ExitStatus.FINE


def _find_asked(invocation: Invocation, checkout: Checkout) -> hooking.Asked:
    """In a bare repository sitepub.yaml stands in the commits that are pushed to it."""
    from sitepub import hooking

    if checkout.is_bare:
        return hooking.Asked(checkout.root, str(invocation.config or ""), invocation.target or "", None)
    request = invocation.read_request()
    path = request.config.path
    return hooking.Asked(path.parent, path.name if invocation.config else "", request.target.name, request.target.branch)
