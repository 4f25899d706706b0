"""`sitepub verify`: compare the target, and the site as served, with what is live; `--repair` mends it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from sitepub.commands.options import Invocation, common_options, wait_option, writing_options
from sitepub.errors import ConfigurationError, ExitStatus

if TYPE_CHECKING:
    from sitepub.interfaces import Progress
    from sitepub.mending import Mended
    from sitepub.request import Request
    from sitepub.verifying import Audit
    from sitepub.wiring import Opened, Sight

OWN_URL = "url of the target"


@click.command("verify", short_help="compare the target with what is live; --repair mends it")
@common_options
@writing_options
@click.option(
    "--url", is_flag=False, flag_value=OWN_URL, metavar="[URL]", help="Ask for the site as a visitor too; default: the target's `url`."
)
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="With --url: ask for N files at most, pages first.")
@click.option("--allow", "allowed", type=click.Choice(["foreign"]), multiple=True, help="Do not look for keys that are not sitepub's.")
@click.option("--repair", is_flag=True, help="Mend what can be mended; asks first.")
@wait_option
def command(
    invocation: Invocation,
    dry_run: bool,
    yes: bool,
    url: str | None,
    sample: int | None,
    allowed: tuple[str, ...],
    repair: bool,
    wait: bool,
) -> int:
    """Compares every key of the live release, its headers, and what a rollback would need with what the target holds. Exits with 6 where
    something is found. Keys that no manifest names are findings too: they are told, and left alone."""
    from sitepub import report_findings, wiring
    from sitepub.commands.progress import Closing
    from sitepub.core.previews import find_previews_folder

    request = invocation.read_request()
    site_url = choose_url(url, request.target.url)
    opened = wiring.open_target(request.config, request.target, invocation.environment) if repair else None
    sight = opened.sight if opened else wiring.look_at_target(request.config, request.target, invocation.environment)
    mended: Mended | None = None
    with Closing(invocation.progress()) as progress:
        apart = find_previews_folder(request.config, request.target)
        look = _looker(sight, progress, site_url, sample, is_foreign_fine="foreign" in allowed, apart=apart)
        audit = look()
        if opened is not None:
            mended = _repair(invocation, request, opened, audit, look, progress, dry_run=dry_run, yes=yes, wait=wait)
            audit = mended.audit if mended else audit
    if mended is not None:
        invocation.say(report_findings.mended_as_text(mended))
    invocation.answer(
        report_findings.audit_as_text(audit, sight.store.describe(), verbose=invocation.verbose),
        lambda: report_findings.audit_as_json(audit, mended),
    )
    if audit.findings:
        return ExitStatus.FINDINGS
    return ExitStatus.OWED if mended and mended.invalidation.state == "owed" else ExitStatus.FINE


def choose_url(given: str | None, configured: str) -> str | None:
    """None: visitors are not asked. Raises ConfigurationError where nobody says where they find the site."""
    if given is None:
        return None
    url = configured if given == OWN_URL else given
    if not url.startswith(("http://", "https://")):
        raise ConfigurationError(
            "no-url", f"`{url}` does not say where visitors find the site", "set `url:` of the target, or name it after `--url`"
        )
    return url if url.endswith("/") else f"{url}/"


def _looker(
    sight: Sight, progress: Progress, site_url: str | None, sample: int | None, *, is_foreign_fine: bool, apart: str | None
) -> Callable[[], Audit]:
    from sitepub.verifying import verify, verify_served

    def look() -> Audit:
        audit = verify(sight, progress, allow_foreign=is_foreign_fine, apart=apart)
        return audit if site_url is None else verify_served(sight, audit, site_url, progress, most=sample)

    return look


def _repair(
    invocation: Invocation,
    request: Request,
    opened: Opened,
    audit: Audit,
    look: Callable[[], Audit],
    progress: Progress,
    *,
    dry_run: bool,
    yes: bool,
    wait: bool,
) -> Mended | None:
    """None where nothing was done."""
    from sitepub import mending, publishing, report_findings
    from sitepub.commands.asking import require_consent
    from sitepub.commands.progress import stop_drawing

    cure = mending.plan_cure(request, opened.sight, audit, progress)
    state = audit.snapshot.state
    has_work = not cure.is_empty or state.pending is not None
    if not has_work and not state.owed:
        return None
    stop_drawing(progress)
    if has_work:
        invocation.say(report_findings.audit_as_text(audit, opened.store.describe(), verbose=invocation.verbose))
        invocation.say(report_findings.cure_as_text(cure))
    if dry_run:
        return None
    if has_work:
        require_consent("mend it?", yes=yes)
    edges = publishing.make_edges(request.target, opened, audit.snapshot, progress, request.config.invalidation)
    return mending.mend(request, edges, opened.sight, audit, cure, look, wait=wait)
