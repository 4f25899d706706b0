"""`sitepub gc`: delete what no kept release needs, or every version of a path."""

from __future__ import annotations

import click

from sitepub.commands.options import Invocation, common_options, writing_options
from sitepub.errors import ExitStatus, UsageError


@click.command("gc", short_help="delete what no kept release needs")
@common_options
@writing_options
@click.option("--forget", "forgotten", multiple=True, metavar="PATH...", help="Remove every version of PATH instead, from packs too.")
@click.argument("more", nargs=-1, metavar="")
@click.option("--wait", is_flag=True, help="Wait until the invalidation is completed.")
def command(invocation: Invocation, dry_run: bool, yes: bool, forgotten: tuple[str, ...], more: tuple[str, ...], wait: bool) -> int:
    """Deletes what neither a kept nor the live release reaches: files, bodies of pages, records. `retention:` says what is kept. Keys that
    no manifest of sitepub names are never touched."""
    if more and not forgotten:
        raise UsageError("usage", f"`{more[0]}` names nothing that `gc` takes", "`--forget PATH` removes every version of a path")
    if forgotten:
        return _forget(invocation, (*forgotten, *more), is_dry_run=dry_run, yes=yes, wait=wait)
    return _collect(invocation, is_dry_run=dry_run, yes=yes, wait=wait)


def _collect(invocation: Invocation, *, is_dry_run: bool, yes: bool, wait: bool) -> int:
    from sitepub import collecting, invalidating, preparing, publishing, report, wiring
    from sitepub.commands.asking import require_consent
    from sitepub.commands.progress import Closing

    request = preparing.read_request(invocation.folder, invocation.config, invocation.target, invocation.environment)
    opened = wiring.open_target(request.config, request.target, invocation.environment)
    with Closing(invocation.progress()) as progress:
        snapshot = opened.releases.read_state()
        edges = publishing.make_edges(request.target, opened, snapshot, progress, request.config.invalidation)
        sweep = collecting.foresee_sweep(edges, request.config.retention)
        collected = collecting.Collected(sweep)
        if sweep.doomed and not is_dry_run:
            invocation.say(report.sweep_as_text(sweep, verbose=invocation.verbose, is_dry_run=True))
            require_consent("delete them?", yes=yes)
            collected = collecting.collect(edges, request.config.retention, wait=wait)
        elif not is_dry_run:
            collected = collecting.Collected(sweep, invalidation=invalidating.send_owed(edges, snapshot, wait=wait))
    free = request.config.invalidation.free_paths
    done, left, sent = collected.sweep, collected.left, collected.invalidation
    invocation.say(report.warnings_as_text(collected.warnings))
    told = report.sweep_as_text(done, left=left, verbose=invocation.verbose, is_dry_run=is_dry_run)
    invocation.answer(
        report.with_invalidation(told, sent, free),
        lambda: report.sweep_as_json(done, left=left, invalidation=sent, free_paths=free, is_dry_run=is_dry_run),
    )
    return ExitStatus.OWED if sent.state == "owed" else ExitStatus.FINE


def _forget(invocation: Invocation, paths: tuple[str, ...], *, is_dry_run: bool, yes: bool, wait: bool) -> int:
    from sitepub import forgetting, invalidating, preparing, publishing, report, wiring
    from sitepub.commands.asking import require_consent
    from sitepub.commands.progress import Closing

    request = preparing.read_request(invocation.folder, invocation.config, invocation.target, invocation.environment)
    opened = wiring.open_target(request.config, request.target, invocation.environment)
    with Closing(invocation.progress()) as progress:
        snapshot = opened.releases.read_state()
        edges = publishing.make_edges(request.target, opened, snapshot, progress, request.config.invalidation)
        foreseen = forgetting.foresee_forgetting(edges, paths)
        forgotten = forgetting.Forgotten(foreseen)
        if not foreseen.is_nothing and not is_dry_run:
            invocation.say(report.forgetting_as_text(foreseen, is_dry_run=True))
            require_consent("forget them for good?", yes=yes)
            forgotten = forgetting.forget(edges, paths, wait=wait)
        elif not is_dry_run:
            forgotten = forgetting.Forgotten(foreseen, invalidation=invalidating.send_owed(edges, snapshot, wait=wait))
    free = request.config.invalidation.free_paths
    done, left, sent = forgotten.forgetting, forgotten.left, forgotten.invalidation
    invocation.say(report.warnings_as_text(forgotten.warnings))
    told = report.forgetting_as_text(done, left=left, is_dry_run=is_dry_run)
    invocation.answer(
        report.with_invalidation(told, sent, free),
        lambda: report.forgetting_as_json(done, left=left, invalidation=sent, free_paths=free, is_dry_run=is_dry_run),
    )
    return ExitStatus.OWED if sent.state == "owed" else ExitStatus.FINE
