"""`sitepub policy`: the least IAM policy that this configuration needs."""

from __future__ import annotations

import click

from sitepub.commands.options import Invocation, common_options
from sitepub.core.policy import Purpose, write_trust
from sitepub.core.previews import find_root
from sitepub.errors import ExitStatus


@click.command("policy", short_help="print the least IAM policy that this configuration needs")
@common_options
@click.option(
    "--for",
    "purpose",
    type=click.Choice([each.value for each in Purpose]),
    default=Purpose.PUBLISH.value,
    show_default=True,
    help="What is to be allowed; `plan`: all that writes nothing; `preview`: previews alone; `up` and `down`: these commands.",
)
@click.option("--github", metavar="OWNER/NAME", help="Print whom the role trusts instead: this repository's runs in GitHub Actions.")
def command(invocation: Invocation, purpose: str, github: str | None) -> int:
    """Prints an IAM policy as JSON, for a role or user that publishes to the target, only plans, only publishes previews, or runs `up` or `down`: what
    sitepub asks of AWS, for this bucket, prefix and distribution, and for what carries its tag or name, alone. Asks AWS nothing."""
    from sitepub import report, wiring
    from sitepub.core.policy_site import write_policy_for

    request = invocation.read_request()
    is_preview = purpose == Purpose.PREVIEW
    target = wiring.settle_region(find_root(request.config, request.target) if is_preview else request.target)
    policy = write_policy_for(target, Purpose(purpose)) if github is None else write_trust(target, Purpose(purpose), github)
    if not policy["Statement"]:
        invocation.say(f"`{target.name}` needs nothing of AWS")
    elif github is None and target.distribution is None and purpose in (Purpose.PUBLISH, Purpose.PLAN):
        invocation.say("no `distribution:` is named, so the policy allows no invalidation: name the one that `up` made")
    invocation.answer(report.to_json(policy), lambda: report.to_json(policy))
    return ExitStatus.FINE
