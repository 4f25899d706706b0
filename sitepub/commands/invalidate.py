"""`sitepub invalidate`: evict paths by hand, or send what is owed."""

from __future__ import annotations

import time

import click

from sitepub.commands.options import Invocation, common_options, lock_option, wait_option, writing_options
from sitepub.errors import ExitStatus


@click.command("invalidate", short_help="evict paths from the edges by hand, or send what is owed")
@common_options
@writing_options
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@wait_option
@lock_option
def command(invocation: Invocation, dry_run: bool, yes: bool, paths: tuple[str, ...], wait: bool, lock_timeout: float) -> int:
    """Invalidates each PATH within the month's quota: a URL or its path (`/docs/`), a beginning (`/img/*`), a cache tag (`#tag`), or a key of the
    site (`docs/index.html`), under all of its URLs. Without a PATH it sends what earlier runs left owed. Never asks."""
    from sitepub import evicting, report_invalidation, wiring
    from sitepub.commands.progress import Closing
    from sitepub.report_account import warnings_as_text

    started = time.monotonic()
    request = invocation.read_request()
    opened = wiring.open_target(request.config, request.target, invocation.environment)
    with Closing(invocation.progress()) as progress:
        if dry_run:
            evicted = evicting.foresee_eviction(request, opened.sight, paths, started=started)
        else:
            evicted = evicting.evict(request, opened, paths, progress, lock_timeout=lock_timeout, wait=wait, started=started)
    invocation.say(warnings_as_text(evicted.warnings))
    invocation.answer(report_invalidation.evicted_as_text(evicted), lambda: report_invalidation.evicted_as_json(evicted))
    return ExitStatus.OWED if evicted.invalidation.state == "owed" else ExitStatus.FINE
