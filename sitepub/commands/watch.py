"""`sitepub watch`: publishes on every change that has settled."""

from __future__ import annotations

from contextlib import ExitStack

import click

from sitepub.commands.options import Invocation, common_options, lock_option, writing_options
from sitepub.commands.publish import permit_options
from sitepub.errors import ExitStatus
from sitepub.library import make_permits


@click.command("watch", short_help="publish on every settled change; --serve shows it locally, too")
@common_options
@writing_options
@click.option("--serve", is_flag=True, help="Serve the site locally as well, with live reload.")
@click.option("--no-build", is_flag=True, help="Publish the source as it is; never run `build:`.")
@permit_options
@click.option("--host", default="127.0.0.1", show_default=True, help="With `--serve`: listen here.")
@click.option("--port", type=click.IntRange(0, 65535), help="With `--serve`: listen here.  [default: the first free one from 8000 on]")
@lock_option
def command(
    invocation: Invocation,
    dry_run: bool,
    yes: bool,
    serve: bool,
    no_build: bool,
    allowed: frozenset[str],
    host: str,
    port: int | None,
    lock_timeout: float,
) -> int:
    """Publishes now, and whenever the source has changed and settled. Where `watch:` names what the site is built from, `build:` is run when that
    changes. What goes wrong is told, and tried again where that can help; Ctrl-C ends it."""
    from sitepub import watching
    from sitepub.commands.serving import Screen, name_watched, serve_beside
    from sitepub.local.clock import SystemClock
    from sitepub.local.watcher import Watcher
    from sitepub.request import Request
    from sitepub.showing import find_scope

    screen = Screen(invocation)

    def read() -> Request:
        return invocation.read_request(permits=make_permits(allowed), build=not no_build, show_build=invocation.verbose)

    request = read()
    with ExitStack() as stack:
        watcher = stack.enter_context(Watcher(find_scope(request), SystemClock()))
        screening = stack.enter_context(serve_beside(invocation, request, screen, host=host, port=port)) if serve else None
        screen.say(f"watching {', '.join(name_watched(request))}; Ctrl-C ends it")
        show = screening.show if screening else lambda prepared: None
        publisher = watching.Publisher(
            *(screen.progress, screen.account, show), lock_timeout=lock_timeout, dry_run=dry_run, has_built=serve, may_patch=not serve
        )
        watching.keep_up(watcher, watching.Looker(read, publisher, screen.tell), at_once=True)
    return ExitStatus.INTERRUPTED
