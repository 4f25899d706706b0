"""`sitepub explain PATH`: one file's story."""

from __future__ import annotations

import click

from sitepub.commands.options import Invocation, common_options
from sitepub.errors import ExitStatus


@click.command("explain", short_help="one file's story: key, kind, rule, headers, who refers to it and why")
@common_options
@click.argument("path")
def command(invocation: Invocation, path: str) -> int:
    """Tells of PATH (a file of the source, or a key) which key, kind and headers it has and why, who refers to it, and what a publish
    would do with it now. Looks at the source as it is; `build:` is not run."""
    from sitepub import report, wiring
    from sitepub.commands.progress import NoProgress
    from sitepub.explaining import explain

    request = invocation.read_request(build=False)
    sight = wiring.look_at_target(request.config, request.target, invocation.environment)
    explained = explain(request, sight, path, NoProgress())
    invocation.answer(report.story_as_text(explained, verbose=invocation.verbose), lambda: report.story_as_json(explained))
    return ExitStatus.FINE
