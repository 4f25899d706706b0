"""`sitepub gc`: delete what no kept release needs, and previews that are over; or every version of a path, or one preview."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sitepub.commands.options import Invocation, common_options, wait_option, writing_options
from sitepub.errors import ExitStatus, UsageError

if TYPE_CHECKING:
    from sitepub.edges import Edges
    from sitepub.expiring import Standing
    from sitepub.interfaces import Progress
    from sitepub.releases import Snapshot
    from sitepub.request import Request


@click.command("gc", short_help="delete what no kept release needs")
@common_options
@writing_options
@click.option("--forget", "forgotten", multiple=True, metavar="PATH...", help="Remove every version of PATH instead, from packs too.")
@click.argument("more", nargs=-1, metavar="")
@click.option("--preview", metavar="NAME", help="Remove this preview instead, whatever its time.")
@wait_option
def command(
    invocation: Invocation,
    dry_run: bool,
    yes: bool,
    forgotten: tuple[str, ...],
    more: tuple[str, ...],
    preview: str | None,
    wait: bool,
) -> int:
    """Deletes what neither a kept nor the live release reaches: files, bodies of pages, records. `retention:` says what is kept. Removes previews whose
    days are over (`previews.days`). Keys that no manifest of sitepub names are never touched."""
    if more and not forgotten:
        raise UsageError("usage", f"`{more[0]}` names nothing that `gc` takes", "`--forget PATH` removes every version of a path")
    if forgotten and preview is not None:
        raise UsageError("usage", "`--forget` and `--preview` exclude each other", "leave one of them out")
    if forgotten:
        return _forget(invocation, (*forgotten, *more), is_dry_run=dry_run, yes=yes, wait=wait)
    if preview is not None:
        return _remove(invocation, preview, is_dry_run=dry_run, yes=yes)
    return _collect(invocation, is_dry_run=dry_run, yes=yes, wait=wait)


def _collect(invocation: Invocation, *, is_dry_run: bool, yes: bool, wait: bool) -> int:
    from sitepub import collecting, expiring, invalidating, report, report_previews
    from sitepub.commands.asking import require_consent
    from sitepub.commands.progress import Closing, stop_drawing

    request = invocation.read_request()
    with Closing(invocation.progress()) as progress:
        edges, snapshot = _open_edges(invocation, request, progress)
        retention, over = request.config.retention, _find_expired(invocation, request)
        removed = tuple(expiring.foresee_removal(each, progress) for each in over)
        if is_dry_run:
            collected = collecting.foresee_collecting(edges, retention)
        else:
            sweep = collecting.foresee_sweep(edges, retention)
            if sweep.doomed or over:
                stop_drawing(progress)
                invocation.say(report.sweep_as_text(sweep, verbose=invocation.verbose, is_dry_run=True))
                invocation.say(report_previews.removed_as_text(removed, is_dry_run=True))
                require_consent("delete them?", yes=yes)
            if sweep.doomed:
                collected = collecting.collect(edges, retention, wait=wait)
            else:
                collected = collecting.Collected(sweep, invalidation=invalidating.send_owed(edges, snapshot, wait=wait))
            removed = tuple(expiring.remove_preview(each, progress) for each in over)
    free = request.config.invalidation.free_paths
    done, left, sent = collected.sweep, collected.left, collected.invalidation
    invocation.say(report.warnings_as_text(collected.warnings))
    told = report.sweep_as_text(done, left=left, verbose=invocation.verbose, is_dry_run=is_dry_run)
    gone = report_previews.removed_as_text(removed, is_dry_run=is_dry_run)
    rows = report_previews.removed_as_rows(removed)
    invocation.answer(
        report.with_invalidation(f"{told}\n{gone}" if gone else told, sent, free, is_dry_run=is_dry_run),
        lambda: report.sweep_as_json(done, left=left, invalidation=sent, free_paths=free, previews=rows, is_dry_run=is_dry_run),
    )
    return ExitStatus.OWED if sent.state == "owed" or any(each.is_owed for each in removed) else ExitStatus.FINE


def _open_edges(invocation: Invocation, request: Request, progress: Progress) -> tuple[Edges, Snapshot]:
    """Of the target, and its state as it is now."""
    from sitepub import publishing, wiring

    opened = wiring.open_target(request.config, request.target, invocation.environment)
    snapshot = opened.releases.read_state()
    return publishing.make_edges(request.target, opened, snapshot, progress, request.config.invalidation), snapshot


def _find_expired(invocation: Invocation, request: Request) -> tuple[Standing, ...]:
    """A preview has no previews of its own."""
    from sitepub.expiring import choose_expired, find_previews
    from sitepub.local.clock import SystemClock

    if request.target.preview is not None:
        return ()
    return choose_expired(find_previews(request.config, request.target, invocation.environment), SystemClock())


def _remove(invocation: Invocation, name: str, *, is_dry_run: bool, yes: bool) -> int:
    from sitepub import expiring, report, report_previews
    from sitepub.commands.asking import require_consent
    from sitepub.commands.progress import Closing, stop_drawing

    request = invocation.read_request(preview=name)
    with Closing(invocation.progress()) as progress:
        standing = expiring.find_preview(request.config, request.target, invocation.environment)
        removed = expiring.foresee_removal(standing, progress)
        if removed.is_there and not is_dry_run:
            stop_drawing(progress)
            invocation.say(report_previews.removed_as_text((removed,), is_dry_run=True))
            require_consent("remove it?", yes=yes)
            removed = expiring.remove_preview(standing, progress)
    invocation.answer(
        report_previews.removed_as_text((removed,), is_dry_run=is_dry_run),
        lambda: report.to_json({"dry_run": is_dry_run, "previews": report_previews.removed_as_rows((removed,))}),
    )
    return ExitStatus.OWED if removed.is_owed else ExitStatus.FINE


def _forget(invocation: Invocation, paths: tuple[str, ...], *, is_dry_run: bool, yes: bool, wait: bool) -> int:
    from sitepub import forgetting, invalidating, report
    from sitepub.commands.asking import require_consent
    from sitepub.commands.progress import Closing, stop_drawing

    request = invocation.read_request()
    with Closing(invocation.progress()) as progress:
        edges, snapshot = _open_edges(invocation, request, progress)
        if is_dry_run:
            forgotten = forgetting.foresee_all(edges, paths)
        elif (foreseen := forgetting.foresee_forgetting(edges, paths)).is_nothing:
            forgotten = forgetting.Forgotten(foreseen, invalidation=invalidating.send_owed(edges, snapshot, wait=wait))
        else:
            stop_drawing(progress)
            invocation.say(report.forgetting_as_text(foreseen, is_dry_run=True))
            require_consent("forget them for good?", yes=yes)
            forgotten = forgetting.forget(edges, paths, wait=wait)
    free = request.config.invalidation.free_paths
    done, left, sent = forgotten.forgetting, forgotten.left, forgotten.invalidation
    invocation.say(report.warnings_as_text(forgotten.warnings))
    told = report.forgetting_as_text(done, left=left, is_dry_run=is_dry_run)
    invocation.answer(
        report.with_invalidation(told, sent, free, is_dry_run=is_dry_run),
        lambda: report.forgetting_as_json(done, left=left, invalidation=sent, free_paths=free, is_dry_run=is_dry_run),
    )
    return ExitStatus.OWED if sent.state == "owed" else ExitStatus.FINE
