"""What `status` says of a distribution: state, invalidations in progress, certificate, names, and what differs from sitepub.yaml. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from sitepub.core.model import Warning
from sitepub.core.settings import Config, Target
from sitepub.core.whereabouts import Listed, NamedAt, Resolution, Whereabouts, judge_name
from sitepub.errors import SitepubError
from sitepub.gathering import start_aside
from sitepub.interfaces import CdnReader, DistributionFacts, Progress
from sitepub.request import Request, read_request
from sitepub.wiring_distribution import DistributionSight, look_at_distributions

R = TypeVar("R")


class Glance(Struct, frozen=True):
    """`whereabouts` None: there is no distribution, or it can't be asked."""

    whereabouts: Whereabouts | None = None
    warnings: tuple[Warning, ...] = ()


def look_at_distribution(target: Target, cdn: CdnReader | None, drift: Callable[[], tuple[str, ...]] | None) -> Glance:
    """`drift` None: nobody made it by `up`. What can't be told is a warning: the rest of the status is worth having."""
    if cdn is None:
        return Glance()
    sight, warnings = look_at_distributions(target), list[Warning]()
    ongoing = start_aside(lambda: sight.list_ongoing(cdn.distribution))
    differing = start_aside(drift) if drift is not None else None
    facts = _take(cdn.facts, "distribution-not-told", warnings)
    if facts is None:
        return Glance(warnings=tuple(warnings))
    names = _names(target, facts)
    resolved = start_aside(lambda: sight.resolve((facts.domain, *names)) if names else {})
    certificate = facts.certificate
    found = Whereabouts(
        id=facts.id,
        domain=facts.domain,
        status=facts.status,
        is_enabled=facts.is_enabled,
        aliases=facts.aliases,
        certificate=_take(lambda: sight.read_certificate(certificate), "certificate-not-told", warnings) if certificate else None,
    )
    found = replace(
        found,
        ongoing=_take(ongoing, "invalidations-not-told", warnings),
        drift=_take(differing, "drift-not-told", warnings),
        names=tuple(_judge(name, facts.domain, resolved()) for name in names),
    )
    return Glance(found, tuple(warnings))


def list_distributions(
    folder: Path, config: Path | None, target: str | None, environment: Mapping[str, str]
) -> tuple[str, tuple[Listed, ...]]:
    """The target whose credentials are used, and all distributions of their account. Raises SitepubError."""
    request = read_request(folder, config, target, environment)
    sight: DistributionSight = look_at_distributions(request.target)
    return request.target.name, tuple(replace(each, targets=_targets_of(request.config, each)) for each in sight.list_all())


def find_drift(request: Request, environment: Mapping[str, str], progress: Progress) -> tuple[str, ...]:
    """What `up` would do now, in words. Raises SitepubError, also where these credentials may not look at all of it."""
    # a distribution of one's own has no use for it
    from sitepub.provisioning import foresee_up
    from sitepub.wiring_site import open_site

    steps = foresee_up(open_site(request.config, request.target, environment, progress)).steps
    return tuple(f"{step.act} {step.kind} {step.name}: {step.reason}" for step in steps if step.is_work)


def _take(ask: Callable[[], R] | None, code: str, warnings: list[Warning]) -> R | None:
    if ask is None:
        return None
    try:
        return ask()
    except SitepubError as error:
        warnings.append(Warning(code, error.message))
        return None


def _judge(name: str, domain: str, resolved: Mapping[str, Resolution | None]) -> NamedAt:
    return judge_name(name, resolved.get(name), resolved.get(domain), is_known=name in resolved)


def _names(target: Target, facts: DistributionFacts) -> tuple[str, ...]:
    """Those that should lead to it: what sitepub.yaml says, and the distribution itself. A wildcard is no name."""
    host = (urlsplit(target.url).hostname or "").lower()
    named = dict.fromkeys((host, *target.domains, *facts.aliases))
    return tuple(name for name in named if "." in name and "*" not in name and name != facts.domain and not _is_address(name))


def _is_address(name: str) -> bool:
    return name.replace(".", "").isdigit() or ":" in name


def _targets_of(config: Config, listed: Listed) -> tuple[str, ...]:
    return tuple(target.name for target in config.targets.values() if target.distribution == listed.id)
