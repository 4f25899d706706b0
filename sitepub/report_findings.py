"""Findings of `verify` and `doctor`, and what a repair did, as text or JSON. Returns strings, prints nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from sitepub.adopting import Adoption
from sitepub.checkup_remarks import Remark, Severity
from sitepub.core.audit import Finding, Trouble
from sitepub.core.enumeration import name_some
from sitepub.mending import Cure, Mended
from sitepub.report_account import Account, account_as_json, account_as_text
from sitepub.report_json import to_json
from sitepub.report_words import count
from sitepub.verifying import Audit

SHOWN_FINDINGS = 20
"""Findings of one code that are named before the rest is summed up; `-v` names all."""

HINTS = {
    Trouble.MISSING: "`sitepub verify --repair` puts them back",
    Trouble.CHANGED: "`sitepub verify --repair` puts back what was published; publish them if the change was meant",
    Trouble.WRONG_HEADERS: "`sitepub verify --repair` sets them",
    Trouble.FOREIGN: "delete them if they are nobody's; `--allow foreign` does not look for them",
    Trouble.MISSING_BODY: "`sitepub verify --repair` restores what the target or the local source still has",
    Trouble.DAMAGED_RECORD: "`sitepub verify --repair` restores what is still known; a version of the bucket may have the rest",
    Trouble.UNFINISHED: "`sitepub publish` or `sitepub verify --repair` finishes it",
    Trouble.NOT_SERVED: "look at the distribution or web server: `sitepub doctor`",
    Trouble.SERVED_STALE: "`sitepub invalidate` sends what is owed, `sitepub verify --url --repair` invalidates these",
    Trouble.SERVED_WRONG_HEADERS: "look at the distribution's response-headers policy, or at the web server",
    Trouble.RECORDS_SERVED: "hide `.sitepub/` by the bucket's policy or the web server, or set `state:` to a private place",
}


def audit_as_json(audit: Audit, mended: Mended | None = None) -> str:
    """The object that the contract of `verify` fixes; after a repair also what it did."""
    document: dict[str, object] = {"findings": [_finding_as_json(finding) for finding in audit.findings], "checked": audit.checked}
    if mended is not None:
        document["repaired"] = [_finding_as_json(finding) for finding in mended.repaired]
        document["release"] = mended.release
        document["invalidation"] = {
            "items": list(mended.invalidation.items),
            "state": mended.invalidation.state,
            "id": mended.invalidation.id,
        }
    return to_json(document)


def audit_as_text(audit: Audit, where: str, *, verbose: bool = False) -> str:
    live = audit.snapshot.state.live
    if not audit.findings:
        return f"{where} is just as release {live} has it, {audit.checked:,} checked" if live else f"{where}: nothing is live"
    lines = [f"{where}: {count(len(audit.findings), 'finding')}, {audit.checked:,} checked"]
    for code in Trouble:
        group = [finding for finding in audit.findings if finding.code is code]
        lines += _group_as_text(code, group, verbose=verbose)
    return "\n".join(lines)


def cure_as_text(cure: Cure) -> str:
    """What a repair is about to do."""
    told = [
        (len(cure.documents) + cure.mends_record, "record", "would be restored"),
        (len(cure.bodies), "kept body", "would be restored"),
        (len(cure.mends), "file", "would be made right"),
    ]
    lines = [f"{count(number, noun)} {what}" for number, noun, what in told if number]
    return "\n".join(lines) if lines else "nothing of it can be mended from here"


def mended_as_text(mended: Mended) -> str:
    lines = [f"mended: {finding.code} {finding.key}" for finding in mended.repaired[:SHOWN_FINDINGS]]
    if len(mended.repaired) > SHOWN_FINDINGS:
        lines.append(f"mended: {len(mended.repaired) - SHOWN_FINDINGS:,} more")
    if mended.release:
        lines.append(f"release {mended.release} is live")
    invalidation = mended.invalidation
    if invalidation.items:
        owed = f" is owed: {invalidation.reason}; the next publish sends it" if invalidation.state == "owed" else f": {invalidation.state}"
        lines.append(
            f"invalidation of {count(len(invalidation.items), 'path')} ({', '.join(invalidation.items[:5])}{' …' if len(invalidation.items) > 5 else ''}){owed}"
        )
    return "\n".join(lines)


def adoption_as_json(adoption: Adoption, account: Account) -> str:
    """The object of `publish`, and what stood there: how many keys were taken over, and which are foreign."""
    document = json.loads(account_as_json(account))
    return to_json({**document, "adopted": len(adoption.first), "foreign": list(adoption.foreign)})


def adoption_as_text(adoption: Adoption, account: Account, *, verbose: bool = False) -> str:
    lines = [account_as_text(account, verbose=verbose)]
    same, first = adoption.same, adoption.first.artifacts.values()
    right = sum(artifact.body in same for artifact in first)
    kept = len(adoption.first) - right
    stood, what = ("stands" if len(adoption.first) == 1 else "stand", "stands") if account.is_dry_run else ("stood", "stood")
    lines.append(f"{count(len(adoption.first), 'file')} of this site {stood} there, {right:,} with the same bytes, {kept:,} with others")
    lines.append(f"what {what} there is kept: `sitepub rollback` brings it back")
    if adoption.foreign:
        named = name_some(adoption.foreign, len(adoption.foreign) if verbose else SHOWN_FINDINGS)
        lines.append(f"left alone, because the source does not have them: {named}")
    return "\n".join(lines)


def checkup_as_json(remarks: Sequence[Remark]) -> str:
    """Notes and problems as findings, and the codes of what is fine."""
    findings = [
        {"code": remark.code, "severity": remark.severity, "message": remark.message, "hint": remark.hint}
        for remark in remarks
        if remark.severity is not Severity.OK
    ]
    fine = [remark.code for remark in remarks if remark.severity is Severity.OK]
    return to_json({"findings": findings, "checked": len(remarks), "fine": fine})


def checkup_as_text(remarks: Sequence[Remark]) -> str:
    lines = []
    for remark in remarks:
        lines.append(f"{remark.severity:<8}{remark.message}")
        if remark.hint and remark.severity is not Severity.OK:
            lines.append(f"{'':<8}hint: {remark.hint}")
    problems = sum(remark.severity is Severity.PROBLEM for remark in remarks)
    notes = sum(remark.severity is Severity.NOTE for remark in remarks)
    lines.append(f"{count(problems, 'problem')}, {count(notes, 'note')}, {len(remarks):,} checked")
    return "\n".join(lines)


def _group_as_text(code: Trouble, group: Sequence[Finding], *, verbose: bool) -> Iterable[str]:
    shown = group if verbose else group[:SHOWN_FINDINGS]
    yield from (f"  {code}: {finding.message}" for finding in shown)
    if len(group) > len(shown):
        yield f"  {code}: {len(group) - len(shown):,} more; `-v` shows them all"
    if group:
        yield f"    hint: {HINTS[code]}"


def _finding_as_json(finding: Finding) -> dict[str, str]:
    return {"code": finding.code, "key": finding.key, "message": finding.message}
