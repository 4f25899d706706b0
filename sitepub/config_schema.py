"""Every setting of sitepub.yaml: key, form, default, meaning. Reading, messages, docs/configuration.md and its tests follow this table."""

from __future__ import annotations

from pathlib import Path
from typing import Generic, TypeVar

from msgspec import Struct

from sitepub import config_patterns as patterns
from sitepub import config_places as places
from sitepub import config_values as values
from sitepub.config_forms import Form, choice_form, header_form, list_form, number_choice_form, number_form, text_form
from sitepub.core.settings import (
    ENTRIES_BEHIND_DISTRIBUTION,
    ENTRIES_WITHOUT_DISTRIBUTION,
    Aliases,
    Cache,
    Config,
    Fingerprint,
    Invalidation,
    Links,
    MissingReferences,
    Modules,
    Previews,
    PriceClass,
    Redirect,
    Retention,
    StoreAddress,
    Tags,
    Target,
    UrlStyle,
    WhenSpent,
)

T_co = TypeVar("T_co", covariant=True)


class Setting(Struct, Generic[T_co], frozen=True):
    """`default` holds where the key is absent; `absent` says in words what then follows, where the default alone does not."""

    key: str
    form: Form[T_co]
    default: T_co
    meaning: str
    absent: str = ""
    is_required: bool = False


class Section(Struct, frozen=True):
    """A table of the file. `path` is what stands above its keys, `NAME` for one that the user chooses; `nested` are keys that hold sections."""

    path: str
    meaning: str
    settings: tuple[Setting[object], ...]
    nested: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(setting.key for setting in self.settings) + self.nested


_TARGET = Target(name="", store=places.parse_bucket_address("none"))
_FINGERPRINT = Fingerprint()
_CACHE = Cache()
_INVALIDATION = Invalidation()
_RETENTION = Retention()
_PREVIEWS = Previews()
_REDIRECT = Redirect(source="", to="")
_CONFIG = Config(path=Path(), source=Path(), targets={})

# The file name of a hashed asset holds the digest and its path says the rest, so two contents meet only if one file's versions do. With 4
# characters that is one edit in 65,536, and it stops the publish; fewer would do so in ordinary use. SHA-256 has 64.
DIGEST_LENGTHS = (4, 64)
REDIRECT_STATUSES = (301, 302, 303, 307, 308)

_PATTERN = text_form("a gitignore pattern", values.parse_pattern, patterns.GITIGNORE)
_PATTERNS = list_form("a list of gitignore patterns", _PATTERN)
_STORE = text_form("`file:PATH` or `s3://bucket[/prefix]`", places.parse_store, patterns.STORE)
_ENDPOINT = text_form("a URL such as `http://127.0.0.1:8333`", places.parse_endpoint, patterns.ENDPOINT)
_HOST = text_form("a host name such as `www.example.com`", places.parse_host, patterns.HOST)
_CACHE_CONTROL = text_form("a value of Cache-Control", values.parse_cache_control, patterns.CACHE_CONTROL)

VERSION: Setting[int] = Setting(
    "version", number_choice_form((_CONFIG.version,)), _CONFIG.version, "The version of this file's format; there is one so far."
)
SOURCE: Setting[str | None] = Setting(
    "source",
    text_form("a folder", values.parse_folder, patterns.FOLDER),
    None,
    "The folder that holds the built site, relative to this file.",
    is_required=True,
)
BUILD: Setting[str | None] = Setting(
    "build",
    text_form("a command line", values.parse_command, patterns.COMMAND, has_variables=False),
    None,
    "A command line that builds the site, run by `/bin/sh` in this file's folder before scanning. `${NAME}` is left to the shell.",
    absent="nothing is built",
)
DEFAULT_TARGET: Setting[str | None] = Setting(
    "default_target",
    text_form("the name of a target", values.parse_text, patterns.TEXT),
    None,
    "The target that a command takes without `--target`.",
    absent="the only target",
)
IGNORE: Setting[tuple[str, ...]] = Setting(
    "ignore",
    _PATTERNS,
    _CONFIG.ignore,
    "Files of the source that are not published. Dot-files other than `.well-known` are left out anyway.",
)
ALLOW: Setting[tuple[str, ...]] = Setting(
    "allow", _PATTERNS, (), "Files that are meant to be published although their names look like secrets (`.env*`, `*.pem`, `id_rsa*` …)."
)
LINKS: Setting[Links] = Setting(
    "links", choice_form(Links), _CONFIG.links, "Symbolic links that leave the source stop the publish, or are followed."
)
WATCH: Setting[tuple[str, ...]] = Setting(
    "watch",
    list_form("a list of files and folders", text_form("a file or folder", values.parse_folder, patterns.FOLDER)),
    (),
    "What the site is built from, relative to this file. `sitepub watch` and `serve` run `build:` when something in it changes.",
    absent="they run no build and wait for changes of `source`",
)
EXECUTOR: Setting[str] = Setting(
    "executor",
    text_form("`processes`, `threads` or `dask://HOST:PORT`", places.parse_executor, patterns.EXECUTOR),
    _CONFIG.executor,
    "Where a large site is scanned and rewritten: in processes or threads of this machine, or by the workers of a Dask cluster (`pip install "
    "'sitepub[dask]'`), which must all see the source under the same path.",
)

STORE: Setting[StoreAddress | None] = Setting(
    "store", _STORE, None, "Where the site is published: a folder (relative to this file, or absolute) or a bucket.", is_required=True
)
REGION: Setting[str | None] = Setting(
    "region",
    text_form("a region such as `eu-central-1`", places.parse_region, patterns.REGION),
    None,
    "The bucket's region.",
    absent="as AWS's configuration says",
)
ENDPOINT_URL: Setting[str | None] = Setting("endpoint_url", _ENDPOINT, None, "The S3 API of an S3-compatible server.", absent="AWS")
CDN_ENDPOINT_URL: Setting[str | None] = Setting(
    "cdn_endpoint_url", _ENDPOINT, None, "The CloudFront API, where it is not AWS's own.", absent="AWS"
)
PROFILE: Setting[str | None] = Setting(
    "profile",
    text_form("the name of an AWS profile", values.parse_text, patterns.TEXT),
    None,
    "The profile in AWS's configuration files whose credentials are used.",
    absent="AWS's usual chain of credentials",
)
DISTRIBUTION: Setting[str | None] = Setting(
    "distribution",
    text_form("the id of a distribution, such as `E190XXXXXL0LJU`, or `none`", places.parse_distribution, patterns.DISTRIBUTION),
    None,
    "The CloudFront distribution whose caches are invalidated; `none` for none.",
    absent="the one that `sitepub up` made, if any",
)
ACCOUNT: Setting[str | None] = Setting(
    "account",
    text_form("an AWS account, 12 digits in quotes", places.parse_account, patterns.ACCOUNT),
    None,
    "The AWS account that the credentials and the bucket must belong to; checked before the first write.",
    absent="not checked",
)
URL: Setting[places.SiteUrl] = Setting(
    "url",
    text_form("a URL or a path that starts with `/`", places.parse_site_url, patterns.SITE_URL),
    places.SiteUrl(_TARGET.url, _TARGET.url_path),
    "Where visitors find the root of `source`. References and invalidation paths start at its path.",
)
DOMAINS: Setting[tuple[str, ...]] = Setting(
    "domains", list_form("a list of host names", _HOST), _TARGET.domains, "Hosts of the site: absolute URLs on them are its own files."
)
BRANCH: Setting[str | None] = Setting(
    "branch",
    text_form("the name of a branch", values.parse_branch, patterns.BRANCH),
    None,
    "The only git branch that is published here; from another one it is refused.",
    absent="any branch",
)
STATE: Setting[StoreAddress | None] = Setting(
    "state",
    _STORE,
    None,
    "Where sitepub keeps its own records, if not beside the site: another bucket or prefix, or folder.",
    absent="`.sitepub/` in the store",
)
LEDGER: Setting[StoreAddress | None] = Setting(
    "ledger",
    _STORE,
    None,
    "Where all publishers of one AWS account reserve invalidation paths before they send them: a place in S3, the same one in each of their"
    " targets. Needed only where several targets publish at the same moment in the month's last paths.",
    absent="paths are counted, not reserved",
)
URL_STYLE: Setting[UrlStyle] = Setting(
    "url_style",
    choice_form(UrlStyle),
    _TARGET.url_style,
    "Under which URLs caches hold `docs/index.html`: `directory` (`/docs/` and `/docs/index.html`), `file` (`/docs/index.html` alone)"
    " or `both` (these and `/docs`).",
)
DISTRIBUTION_CONFIG: Setting[str | None] = Setting(
    "distribution_config",
    text_form("a JSON file", values.parse_folder, patterns.FOLDER),
    None,
    "A distribution's configuration as the AWS CLI takes it, from which `sitepub up` makes the distribution instead of its own defaults.",
    absent="the defaults of `sitepub up`",
)
PRICE_CLASS: Setting[PriceClass] = Setting(
    "price_class", choice_form(PriceClass), _TARGET.price_class, "Which edges serve the site: the fewer, the cheaper. For `sitepub up`."
)
CERTIFICATE: Setting[str | None] = Setting(
    "certificate",
    text_form("the ARN of a certificate in us-east-1", places.parse_certificate, patterns.CERTIFICATE),
    None,
    "The certificate of the site's names, for `sitepub up`.",
    absent="one that covers them, or a new one",
)
ZONE: Setting[str | None] = Setting(
    "zone",
    text_form("a hosted zone's id or name, or `none`", places.parse_zone, patterns.ZONE),
    None,
    "The public zone of Route 53 in which `sitepub up` makes the site's records; `none` leaves DNS to you.",
    absent="the account's closest one",
)

DIGEST_LENGTH: Setting[int] = Setting(
    "digest_length",
    number_form(*DIGEST_LENGTHS),
    _FINGERPRINT.digest_length,
    "How many hex characters of the SHA-256 stand in an asset's name.",
)
EXCLUDE: Setting[tuple[str, ...]] = Setting("exclude", _PATTERNS, _FINGERPRINT.exclude, "Files that are never renamed.")
INCLUDE: Setting[tuple[str, ...]] = Setting(
    "include", _PATTERNS, _FINGERPRINT.include, "Files that are renamed even if nothing says that they are assets."
)
ALIASES: Setting[Aliases] = Setting(
    "aliases",
    choice_form(Aliases),
    _FINGERPRINT.aliases,
    "Whether an asset is published under its plain name too, for references that no tool can see: `auto` if something may need it.",
)
MODULES: Setting[Modules] = Setting(
    "modules",
    choice_form(Modules),
    _FINGERPRINT.modules,
    "How script modules get hashed names: by rewriting the imports, by an import map in the page, or not at all (`pin`).",
)
FROZEN: Setting[tuple[str, ...]] = Setting(
    "frozen", _PATTERNS, _FINGERPRINT.frozen, "Files that a bundler already hashed, beside those that are recognised by evidence."
)
MISSING_REFERENCES: Setting[MissingReferences] = Setting(
    "missing_references",
    choice_form(MissingReferences),
    _FINGERPRINT.missing_references,
    "What happens if a page loads a file that is not in the site.",
)

CACHE_ASSETS: Setting[str] = Setting(
    "assets", _CACHE_CONTROL, _CACHE.assets, "`Cache-Control` of assets. Their names change with their content."
)
CACHE_ENTRIES: Setting[str | None] = Setting(
    "entries",
    _CACHE_CONTROL,
    _CACHE.entries,
    "`Cache-Control` of entries: pages, feeds, downloads, whatever keeps its URL.",
    absent=f"`{ENTRIES_BEHIND_DISTRIBUTION}`; without a distribution `{ENTRIES_WITHOUT_DISTRIBUTION}`",
)
CACHE_ERRORS: Setting[str] = Setting(
    "errors", _CACHE_CONTROL, _CACHE.errors, "`Cache-Control` of `404.html` and of the distribution's error pages."
)
CACHE_ALIASES: Setting[str] = Setting(
    "aliases", _CACHE_CONTROL, _CACHE.aliases, "`Cache-Control` of assets under their plain names, which are never invalidated."
)

MATCH: Setting[str | None] = Setting("match", _PATTERN, None, "The files that the rule is for.", is_required=True)
SET: Setting[tuple[tuple[str, str], ...]] = Setting(
    "set",
    header_form(),
    (),
    "Headers and their values: `Cache-Control`, `Content-Disposition`, `Content-Encoding`, `Content-Language`, `Content-Type`, `Expires`.",
    is_required=True,
)

FROM: Setting[str | None] = Setting(
    "from",
    text_form("a path that starts with `/`", places.parse_redirect_source, patterns.REDIRECT_SOURCE),
    None,
    "The path that redirects; `/old/` is `old/index.html`.",
    is_required=True,
)
TO: Setting[str | None] = Setting(
    "to",
    text_form("a path that starts with `/`, or a URL", places.parse_redirect_aim, patterns.REDIRECT_AIM),
    None,
    "Where it leads to.",
    is_required=True,
)
STATUS: Setting[int] = Setting(
    "status",
    number_choice_form(REDIRECT_STATUSES),
    _REDIRECT.status,
    "The status of the answer, behind the edge function of `sitepub up` or a website endpoint; elsewhere it is a page that redirects.",
)

FREE_PATHS: Setting[int] = Setting(
    "free_paths",
    number_form(0, 1_000_000_000),
    _INVALIDATION.free_paths,
    "How many invalidation paths a month cost nothing, over all distributions of the account.",
)
WHEN_SPENT: Setting[WhenSpent] = Setting(
    "when_spent",
    choice_form(WhenSpent),
    _INVALIDATION.when_spent,
    "What happens when they are used up: fewer and wider paths, pay for more, wait for the next month, or fail before the first write.",
)
TAGS: Setting[Tags] = Setting(
    "tags", choice_form(Tags), _INVALIDATION.tags, "Whether cache tags are used: `auto` where the distribution has them."
)

RELEASES: Setting[int] = Setting(
    "releases", number_form(0, 1_000_000), _RETENTION.releases, "How many releases `sitepub gc` keeps at least."
)
DAYS: Setting[int] = Setting("days", number_form(0, 36_500), _RETENTION.days, "For how many days `sitepub gc` keeps releases at least.")

PREVIEWS_TARGET: Setting[str | None] = Setting(
    "target",
    text_form("the name of a target", values.parse_text, patterns.TEXT),
    None,
    "The target in whose store previews stand, with its credentials.",
    absent="the one that is previewed",
)
PREVIEWS_PREFIX: Setting[str] = Setting(
    "prefix",
    text_form("a folder of the store, or `/`", places.parse_prefix, patterns.PREFIX),
    _PREVIEWS.prefix,
    "The folder of that store in which each preview has one of its own; `/` is the store itself.",
)
PREVIEWS_URL: Setting[str | None] = Setting(
    "url",
    text_form("a URL or a path that starts with `/`, with `{name}` in it", places.parse_preview_url, patterns.PREVIEW_URL),
    None,
    "Where visitors find a preview, with `{name}` for its name: for a host that leads each name to its folder.",
    absent="its folder below that target's `url`",
)
PREVIEWS_DAYS: Setting[int] = Setting(
    "days",
    number_form(1, 36_500),
    _PREVIEWS.days,
    "For how many days after its last publish a preview is kept; then `sitepub gc` removes it.",
)

TOP = Section(
    "",
    "The site as a whole.",
    (VERSION, SOURCE, BUILD, DEFAULT_TARGET, IGNORE, ALLOW, LINKS, WATCH, EXECUTOR),
    nested=("targets", "fingerprint", "cache", "headers", "redirects", "invalidation", "retention", "previews"),
)
TARGET = Section(
    "targets.NAME",
    "A place that the site is published to. At least one is required; its name is yours to choose.",
    (
        *(STORE, REGION, ENDPOINT_URL, CDN_ENDPOINT_URL, PROFILE, DISTRIBUTION, ACCOUNT),
        *(URL, DOMAINS, BRANCH, STATE, LEDGER, URL_STYLE),
        *(DISTRIBUTION_CONFIG, PRICE_CLASS, CERTIFICATE, ZONE),
    ),
)
FINGERPRINT = Section(
    "fingerprint",
    "Which files get a name that changes with their content.",
    (DIGEST_LENGTH, EXCLUDE, INCLUDE, ALIASES, MODULES, FROZEN, MISSING_REFERENCES),
)
CACHE = Section(
    "cache", "For how long browsers and edges keep what they were given.", (CACHE_ASSETS, CACHE_ENTRIES, CACHE_ERRORS, CACHE_ALIASES)
)
HEADERS = Section("headers", "A list of rules. Every rule that matches a file applies, later ones win.", (MATCH, SET))
REDIRECTS = Section("redirects", "A list of redirects.", (FROM, TO, STATUS))
INVALIDATION = Section("invalidation", "What may be invalidated at CloudFront, and at which cost.", (FREE_PATHS, WHEN_SPENT, TAGS))
RETENTION = Section("retention", "What `sitepub gc` keeps: whichever of the two keeps more.", (RELEASES, DAYS))
PREVIEWS = Section(
    "previews",
    "Where `sitepub publish --preview NAME` publishes to, and for how long.",
    (PREVIEWS_TARGET, PREVIEWS_PREFIX, PREVIEWS_URL, PREVIEWS_DAYS),
)

SECTIONS = (TOP, TARGET, FINGERPRINT, CACHE, HEADERS, REDIRECTS, INVALIDATION, RETENTION, PREVIEWS)
