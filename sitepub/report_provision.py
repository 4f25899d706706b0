"""What `up` and `down` would do, or did, as text and JSON: every resource with its reason, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sitepub.core.cost import MONTHLY_BY_USE, USD_A_GIGABYTE_MONTH
from sitepub.core.provision.planning import Act, Step
from sitepub.provisioning import Standing
from sitepub.report_json import to_json
from sitepub.report_words import money, size

_MARKS: Mapping[Act, str] = {Act.CREATE: "+", Act.CHANGE: "~", Act.DELETE: "-", Act.LEAVE: "=", Act.SKIP: "!"}
_WORDS: Mapping[Act, str] = {
    Act.CREATE: "created",
    Act.CHANGE: "changed",
    Act.DELETE: "deleted",
    Act.LEAVE: "left as they are",
    Act.SKIP: "left out",
}


def provision_as_text(headline: str, steps: Sequence[Step], *, verbose: bool = False) -> str:
    """What is left as it is gets a line of its own only with `-v`, unless its reason is worth one."""
    shown = [step for step in steps if verbose or step.act is not Act.LEAVE or step.reason not in _QUIET]
    lines = [headline, *(f"  {_MARKS[step.act]} {step.kind} {step.name}: {step.reason}" for step in shown)]
    counts = [f"{count} {_WORDS[act]}" for act in Act if (count := sum(step.act is act for step in steps))]
    return "\n".join([*lines, ", ".join(counts)] if counts else lines)


_QUIET = ("as it should be", "leads to the distribution", "is issued")


def cost_as_text(site_bytes: int) -> str:
    """What it costs a month. Nothing that `up` makes costs anything by itself."""
    stored = f"{money(_storage(site_bytes))} a month for {size(site_bytes)}" if site_bytes else "by what is stored"
    by_use = "; ".join(MONTHLY_BY_USE)
    return f"cost: $0.00 a month by itself, {stored}, and by use ({by_use})"


def up_as_text(standing: Standing, url: str, steps: Sequence[Step], *, verbose: bool = False) -> str:
    done = provision_as_text("up", steps, verbose=verbose)
    distribution = standing.distribution
    if distribution is None:
        return done
    where = url if url.startswith("http") else f"https://{distribution.domain}/"
    return f"{done}\ndistribution {distribution.id} (`{distribution.domain}`) serves {where}; `sitepub publish` puts the site there"


def up_as_json(target: str, steps: Sequence[Step], site_bytes: int, *, standing: Standing | None, is_dry_run: bool) -> str:
    distribution = standing.distribution if standing else None
    return to_json(
        {
            "target": target,
            "dry_run": is_dry_run,
            "steps": [_step_as_json(step) for step in steps],
            "distribution": {"id": distribution.id, "domain": distribution.domain, "status": distribution.status} if distribution else None,
            "cost": {"usd_a_month": round(_storage(site_bytes), 4), "by_use": list(MONTHLY_BY_USE)},
            "warnings": list(standing.warnings) if standing else [],
        }
    )


def down_as_json(target: str, steps: Sequence[Step], *, is_dry_run: bool) -> str:
    return to_json({"target": target, "dry_run": is_dry_run, "steps": [_step_as_json(step) for step in steps]})


def _step_as_json(step: Step) -> Mapping[str, str]:
    return {"action": step.act, "kind": step.kind, "name": step.name, "reason": step.reason}


def _storage(site_bytes: int) -> float:
    return site_bytes / 1e9 * USD_A_GIGABYTE_MONTH
