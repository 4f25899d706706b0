"""The certificate, in us-east-1 where CloudFront looks for it: found by what it covers and by its tag, asked for once, proved by DNS."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from sitepub.aws.provision.api import Api, Refused
from sitepub.core.provision.blueprint import TAG, Blueprint
from sitepub.core.provision.domains import covers
from sitepub.core.provision.found import FoundCertificate
from sitepub.errors import ConfigurationError

_KEY_TYPES = ("RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1")
"""The list shows RSA_2048 alone if it is not asked for others."""

_USABLE = ("ISSUED", "PENDING_VALIDATION")
_MISSING = ("ResourceNotFoundException",)

_LONGEST_FIRST = 64
"""Characters of the first name, which is the subject's common name (RFC 5280, ub-common-name)."""

_MADE = "sitepub:record-"
"""Begins the tags that say which CNAMEs are ours; `mark_of` ends them."""

_IN_USE_SECONDS = 600.0
"""For so long a certificate counts as used after its distribution is gone."""


def find_certificates(api: Api, blueprint: Blueprint) -> tuple[FoundCertificate | None, tuple[FoundCertificate, ...]]:
    """The one to use, and those of ours that are of no use any more. A named one, else one of ours, else any that is issued and covers the site.
    Raises ConfigurationError `no-certificate` for a named one that does not do."""
    if blueprint.certificate is not None:
        return _read_named(api, blueprint, blueprint.certificate), ()
    near = [
        each
        for each in _list_summaries(api)
        if set(_names_of(each)) & set(blueprint.domains) or any(covers(_names_of(each), one) for one in blueprint.domains)
    ]
    found = [certificate for each in near if (certificate := read_certificate(api, blueprint, each["CertificateArn"])) is not None]
    fitting = [each for each in found if all(covers(each.domains, domain) for domain in blueprint.domains) and each.status in _USABLE]
    # ours first, and of these the one that is issued; others' only if issued
    fitting = [each for each in fitting if each.is_ours or each.status == "ISSUED"]
    fitting.sort(key=lambda each: (not each.is_ours, each.status != "ISSUED", each.arn))
    chosen = fitting[0] if fitting else None
    return chosen, tuple(each for each in found if each.is_ours and each is not chosen)


def find_own_certificates(api: Api, blueprint: Blueprint) -> tuple[FoundCertificate, ...]:
    """All with our tag, whatever they cover."""
    found = (read_certificate(api, blueprint, each["CertificateArn"]) for each in _list_summaries(api))
    return tuple(each for each in found if each is not None and each.is_ours)


def find_near(api: Api, blueprint: Blueprint, certificate: FoundCertificate) -> tuple[FoundCertificate, ...]:
    """Others that share a name with it, whoever made them."""
    bare = {domain.removeprefix("*.") for domain in certificate.domains}
    near = [each["CertificateArn"] for each in _list_summaries(api) if bare & {name.removeprefix("*.") for name in _names_of(each)}]
    found = (read_certificate(api, blueprint, arn) for arn in near if arn != certificate.arn)
    return tuple(each for each in found if each is not None)


def read_certificate(api: Api, blueprint: Blueprint, arn: str) -> FoundCertificate | None:
    """None where there is none."""
    try:
        found = api.ask("acm", "describe_certificate", CertificateArn=arn, expected=_MISSING)["Certificate"]
        tags = api.ask("acm", "list_tags_for_certificate", CertificateArn=arn, expected=_MISSING).get("Tags") or []
    except Refused:
        return None
    values = {each["Key"]: each.get("Value", "") for each in tags}
    return FoundCertificate(
        arn=arn,
        status=str(found.get("Status", "")),
        is_ours=values.get(TAG) == blueprint.name,
        domains=tuple(dict.fromkeys([found["DomainName"], *(found.get("SubjectAlternativeNames") or ())])),
        records=tuple(_records(found)),
        made=frozenset(key.removeprefix(_MADE) for key in values if key.startswith(_MADE)),
        expires_at=found.get("NotAfter"),
        reason=str(found.get("FailureReason", "")),
    )


def request_certificate(api: Api, blueprint: Blueprint, reference: str) -> str:
    """Its ARN. The same `reference` within an hour asks for the same one; later it is found by its tag. Raises ConfigurationError `long-domain`."""
    first = next((name for name in blueprint.domains if len(name) <= _LONGEST_FIRST), None)
    if first is None:
        message = f"a certificate needs one name of at most {_LONGEST_FIRST} characters, which `{blueprint.domains[0]}` is not"
        raise ConfigurationError(
            "long-domain", message, "add a shorter one to `domains:`, or name a certificate of your own in `certificate:`"
        )
    token = hashlib.sha256("\n".join((blueprint.name, reference, *blueprint.domains)).encode()).hexdigest()[:32]
    answer = api.ask(
        "acm",
        "request_certificate",
        DomainName=first,
        SubjectAlternativeNames=[first, *(name for name in blueprint.domains if name != first)],
        ValidationMethod="DNS",
        IdempotencyToken=token,
        Tags=[{"Key": TAG, "Value": blueprint.name}],
    )
    return str(answer["CertificateArn"])


def mark_record(api: Api, arn: str, name: str, zone_id: str) -> None:
    """Says on the certificate itself that a CNAME is about to be made for it by us: `down` removes such ones alone."""
    api.ask("acm", "add_tags_to_certificate", CertificateArn=arn, Tags=[{"Key": _MADE + mark_of(name), "Value": zone_id}])


def mark_of(name: str) -> str:
    """A CNAME's name as few characters of those that a tag's key may have."""
    return hashlib.sha256(name.rstrip(".").lower().encode()).hexdigest()[:12]


def delete_certificate(api: Api, arn: str) -> None:
    """One that is gone is passed over. A distribution that was just deleted may use it for a while yet."""
    with suppress(Refused):
        api.ask(
            "acm", "delete_certificate", CertificateArn=arn, expected=_MISSING, passing=("ResourceInUseException",), seconds=_IN_USE_SECONDS
        )


def _list_summaries(api: Api) -> tuple[Mapping[str, Any], ...]:
    def rows(answer: Any) -> tuple[Any, str | None]:
        return answer.get("CertificateSummaryList"), answer.get("NextToken")

    return tuple(api.pages("acm", "list_certificates", rows, "NextToken", Includes={"keyTypes": list(_KEY_TYPES)}))


def _names_of(summary: Mapping[str, Any]) -> list[str]:
    return [summary["DomainName"], *(summary.get("SubjectAlternativeNameSummaries") or ())]


def _records(certificate: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Name and value of each CNAME, once: `example.com` and `*.example.com` are proved by one and the same."""
    seen = set()
    for option in certificate.get("DomainValidationOptions") or ():
        record = option.get("ResourceRecord")
        if record and record["Name"] not in seen:
            seen.add(record["Name"])
            yield record["Name"].rstrip("."), record["Value"]


def _read_named(api: Api, blueprint: Blueprint, arn: str) -> FoundCertificate:
    """Raises ConfigurationError `no-certificate` where it is not there, not issued, or not of the site's names."""
    found = read_certificate(api, blueprint, arn)
    if found is None:
        raise ConfigurationError(
            "no-certificate", f"there is no certificate `{arn}` in us-east-1 in this account", "correct `certificate:`"
        )
    bare = [domain for domain in blueprint.domains if not covers(found.domains, domain)]
    if bare:
        raise ConfigurationError(
            "no-certificate", f"the certificate `{arn}` does not cover {', '.join(bare)}", "name one that does, or let `up` ask for one"
        )
    if found.status != "ISSUED":
        raise ConfigurationError(
            "no-certificate", f"the certificate `{arn}` is not issued but `{found.status}`", "name one that is, or let `up` ask for one"
        )
    return found
