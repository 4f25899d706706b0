"""`sitepub up`: from nothing to a place that serves the site."""

from __future__ import annotations

import click

from sitepub.commands.options import Invocation, common_options, wait_timeout_option, writing_options
from sitepub.errors import ExitStatus


@click.command("up", short_help="create bucket, distribution, certificate and DNS records")
@common_options
@writing_options
@wait_timeout_option
def command(invocation: Invocation, dry_run: bool, yes: bool, wait_timeout: float) -> int:
    """Creates all that serves the target's bucket through CloudFront, or takes what sitepub.yaml names and changes only what it must. Shows
    its plan and asks. Stopped anywhere, it goes on when it is run again."""
    from sitepub import provisioning, report_provision, wiring_site
    from sitepub.commands.asking import require_consent
    from sitepub.commands.progress import Closing, stop_drawing
    from sitepub.local.measuring import measure_folder

    request = invocation.read_request()
    target, site_bytes = request.target, measure_folder(request.config.source)
    standing = None
    with Closing(invocation.progress()) as progress:
        site = wiring_site.open_site(request.config, target, invocation.environment, progress, wait_seconds=wait_timeout)
        progress.stage("looking")
        foreseen = provisioning.foresee_up(site)
        if not dry_run:
            if not foreseen.is_nothing:
                stop_drawing(progress)
                invocation.say(
                    report_provision.provision_as_text(f"up would, for {target.name}:", foreseen.steps, verbose=invocation.verbose)
                )
                invocation.say(report_provision.cost_as_text(site_bytes))
                require_consent("create and change them?", yes=yes)
            standing = provisioning.raise_up(site, foreseen)
    if standing is not None:
        for warning in standing.warnings:
            invocation.say(f"warning: {warning}")
        text = report_provision.up_as_text(standing, target.url, foreseen.steps, verbose=invocation.verbose)
    else:
        text = report_provision.provision_as_text(f"up would, for {target.name}:", foreseen.steps, verbose=invocation.verbose)
        text += "\n" + report_provision.cost_as_text(site_bytes)
    invocation.answer(
        text, lambda: report_provision.up_as_json(target.name, foreseen.steps, site_bytes, standing=standing, is_dry_run=dry_run)
    )
    return ExitStatus.FINE
