"""What `serve` and `watch` share: the local server, and lines with the time before them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import click

from sitepub import report
from sitepub.commands.colour import paint
from sitepub.commands.options import Invocation
from sitepub.commands.progress import LineProgress, NoProgress
from sitepub.core.model import Warning
from sitepub.errors import SitepubError
from sitepub.interfaces import Progress
from sitepub.preparing import Prepared
from sitepub.request import Request
from sitepub.serving import LocalSite, ServedSite
from sitepub.serving_http import LocalServer
from sitepub.serving_live import LiveReload
from sitepub.showing import Surroundings, build_shown, builds_on_change, look_around, show_site
from sitepub.watching import Remembered
from sitepub.wiring import look_at_target


class Screen:
    """What a command that goes on says, a line at a time."""

    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation
        self._warnings = Remembered()

    def progress(self) -> Progress:
        """Lines that stay: one that is drawn over would stand among what is said next, for nothing ends it."""
        return LineProgress() if self._invocation.verbose else NoProgress()

    def say(self, message: str) -> None:
        self._invocation.say(f"{datetime.now().astimezone():%H:%M:%S}  {message}")

    def warn(self, warnings: Sequence[Warning]) -> None:
        self._invocation.say(report.warnings_as_text(self._warnings.find_new(warnings), verbose=self._invocation.verbose))

    def tell(self, error: SitepubError) -> None:
        """As the error boundary does, but the command goes on."""
        if self._invocation.json:
            click.echo(report.error_as_json(error, is_line=True))
        hint = f"\nhint: {error.hint}" if error.hint else ""
        click.echo(paint(f"error: {error.message}{hint}", is_coloured=self._invocation.color), err=True)

    def account(self, account: report.Account) -> None:
        self.warn(account.warnings)
        if self._invocation.json:
            click.echo(report.account_as_json(account, is_line=True))
        elif account.changes or account.invalidation.items or self._invocation.verbose:
            self.say(report.turn_as_text(account))


class Screening:
    """The local site beside a watch."""

    def __init__(self, shown: ServedSite, around: Surroundings) -> None:
        self.site = LocalSite(shown, LiveReload())
        self._around = around

    def show(self, prepared: Prepared) -> None:
        if prepared.site is not None and prepared.wish is not None:
            self.site.show(show_site(prepared.request, self._around, prepared.source, prepared.site, prepared.wish))


@contextmanager
def listen(invocation: Invocation, site: LocalSite, *, host: str, port: int | None, url_path: str) -> Iterator[None]:
    """Says where, once it answers."""
    with LocalServer(site, host=host, port=port, logs=invocation.verbose) as server:
        shown = f"[{host}]" if ":" in host else host
        url = f"http://{'127.0.0.1' if host in ('0.0.0.0', '') else shown}:{server.port}{url_path}"
        invocation.answer(f"serving {url}", lambda: report.to_json({"url": url}, is_line=True))
        yield


@contextmanager
def serve_beside(invocation: Invocation, request: Request, screen: Screen, *, host: str, port: int | None) -> Iterator[Screening]:
    """The site as it is now, served while a watch goes on; the watch shows what comes after."""
    around = look_around(request, look_at_target(request.config, request.target, invocation.environment))
    shown, _ = build_shown(request, around, screen.progress())
    screening = Screening(shown, around)
    with listen(invocation, screening.site, host=host, port=port, url_path=request.target.url_path):
        yield screening


def name_watched(request: Request) -> list[str]:
    """What is waited for, as people call it."""
    config = request.config
    roots = config.watch if builds_on_change(request) else (config.source,)
    return [f"`{os.path.relpath(root, config.path.parent)}`" for root in roots]
