"""Checks of `doctor` on the target: credentials, bucket, state, what visitors get, distribution and quota. They only look."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from urllib.parse import urljoin, urlsplit

from sitepub.checkup_permissions import check_permissions
from sitepub.checkup_remarks import Check, Patient, Remark, Severity, fine
from sitepub.checkup_whereabouts import check_whereabouts
from sitepub.core.invalidation import USD_A_PATH
from sitepub.core.model import Digest
from sitepub.core.partitions import partition_of_region
from sitepub.core.served import judge_visits, plan_visits
from sitepub.core.settings import BucketAddress, Tags
from sitepub.core.tags import TAG_HEADER
from sitepub.edges import CONDITIONS
from sitepub.interfaces import DistributionFacts
from sitepub.local.process import is_surely_gone
from sitepub.releases import STATE_KEY
from sitepub.visiting import Visitor, seconds_apart

SKEW_NOTED = 60
SKEW_REFUSED = 300
"""Seconds that this machine's clock may be off; AWS refuses signatures that are 15 minutes off."""

PAGES_VISITED = 5


def check_account(patient: Patient) -> Iterable[Remark]:
    patient.inspection.check_account()
    account = patient.inspection.find_account()
    if account is not None:
        yield fine("credentials", f"they are valid, of account {account}")


def _check_region(patient: Patient) -> Iterable[Remark]:
    ours, theirs = patient.inspection.region(), patient.inspection.find_region()
    if theirs is None or ours is None:
        return
    if theirs == ours or patient.request.target.endpoint_url:
        yield fine("region", f"the bucket is in `{theirs}`")
    else:
        message = f"the bucket is in `{theirs}`, requests go to `{ours}`: each takes a detour or is refused"
        yield Remark("wrong-region", Severity.PROBLEM, message, f"`region: {theirs}` in the target")


def _check_writable(patient: Patient) -> Iterable[Remark]:
    if patient.snapshot is None:
        return
    may_write = patient.inspection.may_write(patient.snapshot)
    where = f"`{patient.sight.store.describe()}`"
    if may_write is None:
        yield fine("writable", f"whether {where} may be written only a publish can tell")
    elif may_write:
        yield fine("writable", f"{where} may be written")
    else:
        hint = (
            "`sitepub policy` prints what the credentials need"
            if isinstance(patient.request.target.store, BucketAddress)
            else "look at its owner and mode"
        )
        yield Remark("not-writable", Severity.PROBLEM, f"{where} may not be written", hint)


def _check_state(patient: Patient) -> Iterable[Remark]:
    if patient.snapshot is None:
        return
    state = patient.snapshot.state
    if state.is_blank:
        hint = "`sitepub publish` publishes, `sitepub adopt` takes over what another tool put there"
        yield Remark("not-managed", Severity.NOTE, "nothing was published here yet", hint)
        return
    if state.pending is not None:
        process = state.pending.lease.process
        is_gone = not state.pending.lease.token or (process is not None and is_surely_gone(process))
        severity = Severity.PROBLEM if is_gone else Severity.NOTE
        message = f"release {state.pending.release.id} was begun and is not finished" + ("" if is_gone else ": another run may be at work")
        yield Remark("unfinished", severity, message, "`sitepub publish` finishes or replaces it")
    owed = sorted({item for debt in state.owed for item in debt.items})
    if owed:
        message = f"an invalidation of {len(owed):,} paths is owed: edges may show old pages"
        yield Remark("owed", Severity.PROBLEM, message, "`sitepub invalidate` or the next publish sends it")
    if state.provisioned.get(CONDITIONS) == "ignored":
        message = "the server ignores conditional writes: a lock file guards the state, an edit by hand at the moment of a write is lost"
        yield Remark("weaker-store", Severity.NOTE, message, "use a server that knows `If-Match` and `If-None-Match` on writes")
    if not owed and state.pending is None:
        yield fine("state", f"release {state.live} is live, nothing is pending or owed")


def _check_visibility(patient: Patient) -> Iterable[Remark]:
    """Asks for the state as a visitor, and looks at the server's clock on the way."""
    stored = patient.sight.records.read(STATE_KEY)
    digest = Digest(hashlib.sha256(stored.body).hexdigest()) if stored else None
    visitor = Visitor(seconds=5)
    urls = [urljoin(url, STATE_KEY) for url in patient.inspection.record_urls()]
    answers = [visitor.visit(url) for url in urls]
    now = patient.sight.clock.now().timestamp()
    visitor.close()
    exposed = [url for url, answer in zip(urls, answers, strict=True) if answer.status == 200 and digest in answer.digests]
    for url in exposed:
        hint = "keep `.sitepub/` from visitors by the bucket's policy or the web server, or set `state:` to a private place"
        yield Remark("records-are-public", Severity.PROBLEM, f"everyone can read sitepub's own records, at {url}", hint)
    if digest is not None and answers and not exposed:
        yield fine("records", "visitors can't read sitepub's own records")
    apart = [abs(seconds) for answer in answers if (seconds := seconds_apart(answer, now)) is not None]
    if apart and min(apart) > SKEW_NOTED:
        severity = Severity.PROBLEM if min(apart) > SKEW_REFUSED else Severity.NOTE
        yield Remark(
            "clock-skew",
            severity,
            f"this machine's clock is off by {min(apart):,.0f} seconds",
            "set it by NTP: AWS refuses what is 15 minutes off",
        )
    elif apart:
        yield fine("clock", "this machine's clock is right")


def _check_distribution(patient: Patient) -> Iterable[Remark]:
    facts, target = patient.facts, patient.request.target
    if facts is None:
        return
    yield fine("distribution", f"`{facts.id}` ({facts.domain}) can be asked")
    if not facts.is_enabled:
        yield Remark("distribution-disabled", Severity.PROBLEM, f"distribution `{facts.id}` is disabled: it serves nothing", "enable it")
    if facts.status != "Deployed":
        yield Remark(
            "distribution-in-progress",
            Severity.NOTE,
            f"distribution `{facts.id}` is changing: edges differ until it is done",
            "wait some minutes",
        )
    if isinstance(target.store, BucketAddress) and not _has_origin(facts, target.store.bucket):
        message = f"no origin of distribution `{facts.id}` is the bucket `{target.store.bucket}` ({', '.join(facts.origins)})"
        yield Remark("other-origin", Severity.PROBLEM, message, "correct `distribution:` or `store:`, or the distribution's origin")
    partition = partition_of_region(patient.inspection.region())
    if patient.request.config.invalidation.tags is Tags.ALWAYS and not partition.has_tags:
        message = f"CloudFront in {partition.words} reads no cache tags: `invalidation.tags: always` changes nothing there"
        yield Remark("no-cache-tags-there", Severity.NOTE, message, "say `auto`")
    yield from _judge_distribution(facts, target.url)


def _judge_distribution(facts: DistributionFacts, url: str) -> Iterable[Remark]:
    host = urlsplit(url).hostname
    if host and host != facts.domain and not any(_matches(alias, host) for alias in facts.aliases):
        message = f"distribution `{facts.id}` does not serve `{host}`, only {', '.join((facts.domain, *facts.aliases))}"
        yield Remark("other-domain", Severity.NOTE, message, "correct `url:`, or add the name to the distribution")
    if not facts.default_root_object and not facts.has_function:
        message = f"distribution `{facts.id}` has no default root object: `/` shows no page unless the origin is a website endpoint"
        yield Remark("no-default-root", Severity.NOTE, message, "set its default root object to `index.html`")
    if not facts.error_pages:
        message = f"distribution `{facts.id}` has no error page: visitors see S3's own message for what is missing"
        yield Remark("no-error-page", Severity.NOTE, message, "let it answer 403 and 404 with `/404.html` and status 404")
    if facts.tag_header and facts.tag_header != TAG_HEADER:
        message = f"distribution `{facts.id}` reads cache tags from `{facts.tag_header}`, sitepub writes `{TAG_HEADER}`: they are not used"
        yield Remark("other-tag-header", Severity.NOTE, message, f"let its CacheTagConfig name `{TAG_HEADER}`")
    tags = f"cache tags in `{facts.tag_header}`" if facts.tag_header else "no cache tags"
    yield fine("distribution-features", f"{tags}; {'an edge function of sitepub' if facts.has_function else 'no edge function of sitepub'}")


def _check_quota(patient: Patient) -> Iterable[Remark]:
    if patient.facts is None:
        return
    free = patient.request.config.invalidation.free_paths
    counted = patient.inspection.count_month()
    if counted is None:
        message = "these credentials may not list invalidations: only sitepub's own are counted"
        yield Remark(
            "quota-unknown", Severity.NOTE, message, "allow `cloudfront:ListDistributions`, `ListInvalidations` and `GetInvalidation`"
        )
        return
    used = counted.used
    if counted.unseen:
        message = f"the month's invalidation paths are not all counted: {'; '.join(counted.unseen)}"
        yield Remark("quota-partly-known", Severity.NOTE, message, "`sitepub policy` prints what is needed")
    if used >= free:
        message = f"{used:,} invalidation paths were used this month, {free:,} are free: more cost USD {USD_A_PATH} each"
        yield Remark(
            "quota-spent",
            Severity.PROBLEM,
            message,
            "`invalidation.when_spent` says what happens then; a shorter `s-maxage` in `cache.entries` needs none",
        )
    elif used > 0.8 * free:
        message = f"{used:,} of this month's {free:,} free invalidation paths are used"
        yield Remark("quota-low", Severity.NOTE, message, "a shorter `s-maxage` in `cache.entries` needs fewer")
    else:
        yield fine("quota", f"{used:,} of this month's {free:,} free invalidation paths are used")


def _check_shared_ledger(patient: Patient) -> Iterable[Remark]:
    shared = patient.sight.shared
    if shared is not None:
        used = shared.read().used
        yield fine("shared-ledger", f"`{shared.describe()}` can be read: {used:,} paths are told there of this account's publishers")


def _check_site(patient: Patient) -> Iterable[Remark]:
    """Some pages as visitors get them; `verify --url` asks for all."""
    url = patient.request.target.url
    live = patient.snapshot.state.live_release if patient.snapshot else None
    if live is None or not url.startswith("http"):
        return
    manifest = patient.sight.releases.read_document(live).manifest
    site_url = url if url.endswith("/") else f"{url}/"
    front = tuple(visit for visit in plan_visits(manifest, site_url) if visit.artifact.key == "index.html")
    visits = tuple(dict.fromkeys((*front, *plan_visits(manifest, site_url, most=PAGES_VISITED))))
    findings = judge_visits(visits, Visitor().visit_all(visits), checks_headers=patient.sight.store.keeps_headers)
    for finding in findings[:PAGES_VISITED]:
        yield Remark(finding.code, Severity.PROBLEM, finding.message, "`sitepub verify --url` tells of every file")
    if not findings:
        yield fine("site", f"{url} serves release {live.id}")


def _has_origin(facts: DistributionFacts, bucket: str) -> bool:
    return any(origin == bucket or origin.startswith(f"{bucket}.s3") for origin in facts.origins)


def _matches(alias: str, host: str) -> bool:
    return alias == host or (alias.startswith("*.") and host.partition(".")[2] == alias[2:])


THERE: tuple[Check, ...] = (
    check_account,
    check_permissions,
    _check_region,
    _check_writable,
    _check_state,
    _check_visibility,
    _check_distribution,
    check_whereabouts,
    _check_quota,
    _check_shared_ledger,
    _check_site,
)
