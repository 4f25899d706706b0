"""`sitepub serve`: the site on this machine, as its target would answer."""

from __future__ import annotations

import sys

import click
from msgspec.structs import replace

from sitepub.commands.options import Invocation, common_options
from sitepub.errors import ExitStatus


@click.command("serve", short_help="serve locally exactly what would be published")
@common_options
@click.option("--live", is_flag=True, help="Pages load again by themselves when the site changes; stylesheets are swapped in place.")
@click.option("--no-build", is_flag=True, help="Serve the source as it is; do not run `build:`.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Listen here; `0.0.0.0` shows the site to the whole network.")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Listen here; 0 takes any free port.  [default: the first free one from 8000 on]"
)
def command(invocation: Invocation, live: bool, no_build: bool, host: str, port: int | None) -> int:
    """Serves the site as it would be published: names, headers, redirects, clean URLs, error page, ranges, compression. It follows changes of
    the source, and runs `build:` when what `watch:` names changes. Writes nothing to the target; Ctrl-C ends it."""
    from sitepub import report_words, showing, watching, wiring
    from sitepub.commands.serving import Screen, listen
    from sitepub.local.clock import SystemClock
    from sitepub.local.watcher import Watcher
    from sitepub.request import Request
    from sitepub.serving import LocalSite
    from sitepub.serving_live import LiveReload

    screen = Screen(invocation)

    def read() -> Request:
        return invocation.read_request(build=not no_build, show_build=invocation.verbose)

    request = read()
    sight = wiring.look_at_target(request.config, request.target, invocation.environment)
    around = showing.look_around(request, sight)
    with Watcher(showing.find_scope(request), SystemClock()) as watcher:
        shown, warnings = showing.build_shown(request, around, screen.progress())
        screen.warn((*around.warnings, *warnings))
        site = LocalSite(shown, LiveReload() if live else None)

        def look(request: Request) -> None:
            again = request if showing.builds_on_change(request) else replace(request, build=False)
            built, warnings = showing.build_shown(again, around, screen.progress())
            before, after = site.shown.manifest, built.manifest
            site.show(built)
            screen.warn(warnings)
            if before != after:
                screen.say(f"built again: {report_words.count(len(after), 'file')}")

        with listen(invocation, site, host=host, port=port, url_path=request.target.url_path):
            sys.stdout.flush()
            watching.keep_up(watcher, watching.Looker(read, look, screen.tell))
    return ExitStatus.INTERRUPTED
