"""`sitepub completion SHELL`: the script by which a shell completes commands, options and the names of targets."""

from __future__ import annotations

import click

from sitepub.commands.options import Invocation, common_options
from sitepub.errors import ExitStatus

WHERE = {
    "bash": 'eval "$(sitepub completion bash)" in ~/.bashrc',
    "zsh": 'eval "$(sitepub completion zsh)" in ~/.zshrc, below `compinit`',
    "fish": "sitepub completion fish > ~/.config/fish/completions/sitepub.fish",
}
VARIABLE = "_SITEPUB_COMPLETE"


@click.command("completion", short_help="print a shell's completion script")
@common_options
@click.argument("shell", metavar="SHELL", type=click.Choice(list(WHERE)))
def command(invocation: Invocation, shell: str) -> int:
    """Prints the script by which a shell completes commands, options and names of targets: `eval "$(sitepub completion bash)"` in ~/.bashrc, the same
    with zsh in ~/.zshrc below `compinit`, `sitepub completion fish > ~/.config/fish/completions/sitepub.fish`."""
    from click.shell_completion import get_completion_class

    from sitepub.report_json import to_json

    completion = get_completion_class(shell)
    if completion is None:
        raise ValueError(f"click knows no {shell}")
    script = completion(click.Group("sitepub"), {}, "sitepub", VARIABLE).source()
    invocation.say(f"# to keep it: {WHERE[shell]}")
    invocation.answer(script, lambda: to_json({"shell": shell, "script": script}))
    return ExitStatus.FINE
