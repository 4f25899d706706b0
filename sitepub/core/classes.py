"""Decides of each file whether its name is hashed, and says why: asset, entry, frozen or pinned."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct

from sitepub.core.components import find_components
from sitepub.core.evidence import Evidence, Trace, Trait
from sitepub.core.model import FileClass
from sitepub.core.nature import find_nature, has_place, is_page
from sitepub.core.patterns import Patterns
from sitepub.core.settings import Aliases, Modules


class Rules(Struct, frozen=True):
    """The settings that classes depend on. `frozen`: numbers of files that a bundler hashed, with the evidence."""

    exclude: Patterns
    include: Patterns
    frozen: Mapping[int, str]
    aliases: Aliases
    modules: Modules


class Verdict(Struct, frozen=True, gc=False):
    """`reason` is what `explain` prints. `has_alias`: an asset that is published under its plain name too."""

    file_class: FileClass
    reason: str
    has_alias: bool = False


def classify(evidence: Evidence, rules: Rules) -> Sequence[Verdict]:
    """One verdict for each file, by its number."""
    reached = _find_reached(evidence, rules)
    verdicts: dict[Verdict, Verdict] = {}  # a million pages share one
    return [verdicts.setdefault(one, one) for one in (_judge(number, evidence, rules, reached) for number in range(len(evidence.paths)))]


def _judge(number: int, evidence: Evidence, rules: Rules, reached: Collection[int]) -> Verdict:
    path = evidence.paths[number]
    if number in rules.frozen:
        return Verdict(FileClass.FROZEN, rules.frozen[number])
    is_included = rules.include.matches(path)
    excluded = rules.exclude.find_decisive(path)
    stays = f"`fingerprint.exclude` has `{excluded}`" if excluded else _find_duty(number, evidence, is_included=is_included)
    if stays is not None:
        return _keep_name(number, evidence, stays)
    pinned = _find_pin(number, evidence, rules.modules)
    if pinned is not None:
        return Verdict(FileClass.PINNED, pinned)
    if is_included:
        return _hash(number, evidence, rules, f"`fingerprint.include` has `{rules.include.find_decisive(path)}`")
    if number not in reached:
        return _keep_name(number, evidence, _tell_unreached(number, evidence))
    trace = evidence.loaders.get(number)
    return _hash(number, evidence, rules, _tell(evidence, trace, "loads it") if trace else "the site loads it")


def _find_duty(number: int, evidence: Evidence, *, is_included: bool) -> str | None:
    """Why the file's URL must stay. `fingerprint.include` overrules a name, but no page and no service worker."""
    path = evidence.paths[number]
    if evidence.has(number, Trait.WEB_MANIFEST):
        return "browsers know an app by the URL of its manifest"
    is_worker = evidence.has(number, Trait.SERVICE_WORKER) and not evidence.has(number, Trait.LOADED)
    if is_worker or evidence.has(number, Trait.REGISTERED):
        return "a service worker keeps its URL for life"
    if evidence.has(number, Trait.LISTING):
        return "it lists revisions of other files, which its name can't follow"
    if is_included and has_place(path) and not is_page(path):
        return None
    return find_nature(path) or _find_quirk(number, evidence)


def _find_quirk(number: int, evidence: Evidence) -> str | None:
    """Leaflet strips `marker-icon.png` off the URL in its stylesheet to find the folder of its icons (Leaflet issue 4968)."""
    trace = evidence.loaders.get(number)
    if trace is None or not evidence.paths[number].endswith("/marker-icon.png"):
        return None
    is_leaflets = "leaflet" in evidence.paths[trace.referrer].lower()
    return "Leaflet finds its icons by this name" if is_leaflets else None


def _find_pin(number: int, evidence: Evidence, modules: Modules) -> str | None:
    """Why a module or a stylesheet keeps its one URL: under two a module would be two instances (https://html.spec.whatwg.org/#module-map),
    and a stylesheet would be applied again, after those that overrule it: scripts look for its link before they add one."""
    if evidence.has(number, Trait.SWITCHED):
        script, page = (evidence.paths[one] for one in evidence.switched[number])
        return (
            f"a stylesheet that may be switched by its name: `{script}` looks for such names, and `{page}` has some that are off at first"
        )
    if not evidence.has(number, Trait.MODULE):
        is_added = evidence.has(number, Trait.LOADED) and evidence.has(number, Trait.MENTIONED) and evidence.paths[number].endswith(".css")
        return "a stylesheet that scripts name: they may look for its link" if is_added else None
    if modules is Modules.PIN:
        return "a module, and `fingerprint.modules` is `pin`"
    trace = evidence.unseen.get(number)
    return None if trace is None else f"a module that needs one URL: {_tell(evidence, trace)}"


def _keep_name(number: int, evidence: Evidence, reason: str) -> Verdict:
    """What pages load under a name that stays is put before them and collected after them."""
    is_loaded = evidence.has(number, Trait.LOADED | Trait.LOADED_AS_IS) and not is_page(evidence.paths[number])
    return Verdict(FileClass.PINNED if is_loaded else FileClass.ENTRY, reason)


def _hash(number: int, evidence: Evidence, rules: Rules, reason: str) -> Verdict:
    if rules.modules is Modules.IMPORTMAP and evidence.has(number, Trait.MODULE):
        return Verdict(FileClass.ASSET, reason, has_alias=True)  # workers and older browsers know no import map
    needs_plain_name = evidence.has(number, Trait.LOADED_AS_IS | Trait.LINKED | Trait.OPAQUE | Trait.MENTIONED | Trait.UNSEEN)
    match rules.aliases:
        case Aliases.ALWAYS:
            return Verdict(FileClass.ASSET, reason, has_alias=True)
        case Aliases.AUTO:
            return Verdict(FileClass.ASSET, reason, has_alias=needs_plain_name)
        case Aliases.NEVER if needs_plain_name:
            return _keep_name(number, evidence, "something refers to its plain name, and `fingerprint.aliases` is `never`")
        case Aliases.NEVER:
            return Verdict(FileClass.ASSET, reason)


def _find_reached(evidence: Evidence, rules: Rules) -> Collection[int]:
    """The files that something outside of their own circle loads where it can be rewritten."""
    candidates = [number for number in range(len(evidence.paths)) if evidence.has(number, Trait.LOADED) and number not in rules.frozen]
    components = find_components(candidates, evidence.loads_of)
    circle_of = {number: place for place, members in enumerate(components) for number in members}
    reached = {
        circle_of[target]
        for referrer in evidence.edges.keys() | evidence.imports.keys()
        for target in evidence.loads_of(referrer)
        if target in circle_of and circle_of.get(referrer) != circle_of[target]
    }
    return {number for place in reached for number in components[place]}


def _tell_unreached(number: int, evidence: Evidence) -> str:
    if evidence.has(number, Trait.LOADED):
        return "nothing loads it but what it loads itself"
    if evidence.has(number, Trait.LOADED_AS_IS):
        return "what loads it is left as it is, so it keeps its name"
    if evidence.has(number, Trait.LINKED):
        return "only linked to"
    if evidence.has(number, Trait.OPAQUE | Trait.MENTIONED):
        return "only named where nothing can be rewritten"
    return "nothing in the site loads it"


def _tell(evidence: Evidence, trace: Trace, verb: str = "") -> str:
    by = f"`{evidence.paths[trace.referrer]}`"
    return f"{by} {verb} ({trace.how})" if verb else f"{trace.how} (in {by})"
