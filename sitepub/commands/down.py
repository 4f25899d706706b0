"""`sitepub down`: takes away what `up` made."""

from __future__ import annotations

import click

from sitepub.commands.options import Invocation, common_options, wait_timeout_option, writing_options
from sitepub.errors import ExitStatus, UsageError

NOTHING = "nothing of sitepub's stands there"


@click.command("down", short_help="remove what `up` created")
@common_options
@writing_options
@click.option("--keep-bucket", is_flag=True, help="Remove all but the bucket and what is in it.")
@click.option("--delete-content", is_flag=True, help="Delete every version of everything in the bucket, and the bucket.")
@wait_timeout_option
def command(invocation: Invocation, dry_run: bool, yes: bool, keep_bucket: bool, delete_content: bool, wait_timeout: float) -> int:
    """Removes what `up` created, DNS records first, and nothing else: what has not sitepub's tag stays. Shows its plan and asks. Stopped anywhere,
    it goes on when it is run again."""
    from sitepub import removing, report_provision, wiring_site
    from sitepub.commands.asking import require_consent, require_name
    from sitepub.commands.progress import Closing, stop_drawing
    from sitepub.core.provision.removal import Removal

    if keep_bucket and delete_content:
        raise UsageError("usage", "`--keep-bucket` and `--delete-content` exclude each other", "leave one of them out")
    request = invocation.read_request()
    target = request.target
    with Closing(invocation.progress()) as progress:
        site = wiring_site.open_site(request.config, target, invocation.environment, progress, wait_seconds=wait_timeout, is_removal=True)
        progress.stage("looking")
        farewell = removing.foresee_down(site, Removal(keeps_bucket=keep_bucket, deletes_content=delete_content))
        would = report_provision.provision_as_text(
            f"down would, for {target.name}:" if farewell.steps else NOTHING, farewell.steps, verbose=invocation.verbose
        )
        if not dry_run and not farewell.is_nothing:
            stop_drawing(progress)
            invocation.say(would)
            if farewell.deletes_content:
                require_name(site.blueprint.bucket, "everything in it is deleted for good: type the bucket's name", yes=yes)
            else:
                require_consent("remove them?", yes=yes)
            removing.take_down(site, farewell)
    done = report_provision.provision_as_text("down" if farewell.steps else NOTHING, farewell.steps, verbose=invocation.verbose)
    invocation.answer(would if dry_run else done, lambda: report_provision.down_as_json(target.name, farewell.steps, is_dry_run=dry_run))
    return ExitStatus.FINE
