"""Cache tags from the built site to the edges: switched on, used, switched off. No edge shows what is stale once invalidations are done."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from msgspec.structs import replace

from sitepub.aws.cloudfront import CloudFront
from sitepub.choosing import Chooser, _evict_all
from sitepub.core.invalidation_paths import Routing
from sitepub.core.model import Artifact, FileClass, Key, Manifest
from sitepub.core.settings import BucketAddress, Invalidation, Tags, Target
from sitepub.core.tags import TAG_HEADER, name_tag, own_tag, read_tags, without_tags
from sitepub.decision import Permits, Wish
from sitepub.edges import Edges
from sitepub.interfaces import Body
from sitepub.pipeline import Receipt, publish
from tests.support.builders import World
from tests.support.building import build_tree, make_config
from tests.support.edge import Answer, Network, Origin
from tests.support.fake_cdn import FakeCloudFront
from tests.support.web import at_once

TARGET = Target("test", BucketAddress("memory"))
PAGES = tuple(f"{folder}/{n}.html" for folder in ("blog", "docs") for n in range(16))
FILES = {
    "app.css": "body { color: red }",
    "docs.css": "h1 { color: blue }",
    "blog/index.html": "<p>the blog",
    **{page: f'<link rel="stylesheet" href="/{"app" if int(page[5:-5]) % 2 else "docs"}.css"><h1>{page}</h1>' for page in PAGES},
}


@dataclass(slots=True)
class Site:
    """A site behind a distribution that has CacheTagConfig, or gets it later."""

    root: Path
    tags: Tags = Tags.ALWAYS
    rules: Invalidation = field(default_factory=Invalidation)
    files: dict[str, str] = field(default_factory=lambda: dict(FILES))
    also: dict[str, str] = field(default_factory=dict)  # a tag that a page gets besides, as a later version might give it
    world: World = field(default_factory=World)
    client: FakeCloudFront = field(init=False)
    distribution: str = field(init=False)
    network: Network = field(init=False)

    def __post_init__(self) -> None:
        self.client = FakeCloudFront(self.world.clock, seconds_to_complete=20)
        self.distribution = self.client.add_distribution({"CacheTagConfig": {"HeaderName": TAG_HEADER}})
        origin = Origin(self.world.bucket, has_function=False)
        self.network = Network(origin, self.world.clock, self.client, random.Random(1), tag_header=TAG_HEADER)

    def edges(self) -> Edges:
        cdn = CloudFront(self.distribution, lambda: self.client, self.world.clock)
        chooser = Chooser(TARGET, self.rules, cdn, self.world.clock, aside=at_once)
        return replace(
            self.world.edges(before=lambda *_: self.network.go_on(), after=lambda *_: self.network.go_on()),
            cdn=cdn,
            choose=lambda shown, live, state: at_once(lambda: chooser.choose(shown, live, state)),
            count_month=chooser.count,
            rules=self.rules,
        )

    def publish(self, **changed: str) -> Receipt:
        """Then visitors ask for every page, half a minute passes, and every edge must show what is there."""
        self.visit()
        self.files |= {name.replace("__", "/").replace("_", "."): text for name, text in changed.items()}
        config = replace(make_config(self.root), invalidation=Invalidation(tags=self.tags))
        built = build_tree(self.root, self.files, config=config, has_distribution=True)

        def supply(artifact: Artifact) -> Body:
            return built.bodies[artifact.key]

        wanted = Manifest({key: self._tag_too(artifact) for key, artifact in built.site.manifest.artifacts.items()})
        receipt = publish(self.edges(), Wish(wanted, supply), lambda _: None, Permits())
        self.visit()
        self.world.clock.seconds += 30
        self.network.go_on()
        stale = [path for path in PAGES if len({without_tags_too(answer) for answer in self.network.possible(f"/{path}")}) > 1]
        assert not stale, f"edges still show old copies of {stale}"
        return receipt

    def _tag_too(self, artifact: Artifact) -> Artifact:
        if artifact.key not in self.also:
            return artifact
        tags = ",".join((*read_tags(artifact), self.also[artifact.key]))
        return replace(artifact, headers=tuple(sorted((*without_tags(artifact.headers), (TAG_HEADER, tags)))))

    def visit(self) -> None:
        for page in PAGES:
            self.network.possible(f"/{page}")
        self.network.go_on()


def without_tags_too(answer: Answer) -> Answer:
    """As a visitor sees it."""
    return replace(answer, headers=without_tags(answer.headers))


def test_tags_are_switched_on_by_one_whole_invalidation_and_then_save_items(tmp_path: Path) -> None:
    site = Site(tmp_path, rules=Invalidation(free_paths=20))
    assert site.publish().invalidation.items == ()
    switched = site.publish(blog__0_html="<p>changed")
    assert switched.invalidation.items == ("/*",)
    assert [warning.code for warning in switched.warnings if "tags" in warning.code] == ["cache-tags-switched-on"]
    assert site.publish(blog__0_html="<p>changed again").invalidation.items == ("/blog/0.html",)
    restyled = site.publish(docs_css="h1 { color: green }").invalidation
    assert (restyled.items, restyled.collateral) == ((f"#{name_tag('asset', '/docs.css')}",), 0)
    assert site.client.count_paths() == 3


@pytest.mark.parametrize(("url_path", "item"), [("/", "/*"), ("/docs/", "/docs/*"), ("/~user/docs/", "/*"), ("/a/b c/", "/a/b*")])
def test_the_whole_site_is_named_as_cloudfront_takes_it(url_path: str, item: str) -> None:
    """An item with `~`, quotes or spaces is refused, or has no effect."""
    assert _evict_all({}, Routing(url_path=url_path)).items == (item,)


def test_a_site_that_had_no_tags_gets_them_and_nothing_else_is_invalidated_by_that(tmp_path: Path) -> None:
    site = Site(tmp_path, tags=Tags.NEVER)
    site.publish()
    site.publish(blog__0_html="<p>1")
    site.tags = Tags.ALWAYS
    switched = site.publish()
    assert switched.release is not None
    assert switched.decision.plan.summary.headers == len(PAGES) + 1
    assert switched.invalidation.items == ("/*",)
    assert site.publish().release is None
    site.tags = Tags.NEVER
    assert site.publish().invalidation.items == ()
    site.tags = Tags.ALWAYS
    assert site.publish(docs_css="h1 {}").invalidation.items == ("/*",)


def test_a_distribution_without_tags_is_never_told_any(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.client._configs[site.distribution] = {}
    site.publish()
    assert site.publish(blog__0_html="<p>1").invalidation.items == ("/blog/0.html",)
    assert site.publish(blog__index_html="<p>1").invalidation.items == ("/blog/", "/blog/index.html")
    site.client._configs[site.distribution] = {"CacheTagConfig": {"HeaderName": TAG_HEADER}}
    assert site.publish(blog__1_html="<p>1").invalidation.items == ("/*",)


@pytest.mark.parametrize("seed", range(3))
def test_random_edits_leave_nothing_stale(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    site = Site(tmp_path, rules=Invalidation(free_paths=40))
    site.publish()
    for number in range(8):
        changed = {page: f"{site.files[page]}<p>{number}" for page in chance.sample(PAGES, chance.randrange(4))}
        if chance.random() < 0.5:
            changed[chance.choice(("app.css", "docs.css"))] = f"b {{ margin: {number}px }}"
        site.files |= changed
        site.tags = Tags.NEVER if chance.random() < 0.2 else Tags.ALWAYS
        site.publish()
        site.world.clock.seconds += chance.randrange(3600)
    assert site.client.count_paths() <= 40


def test_a_tag_that_came_alone_is_not_what_edges_hold(tmp_path: Path) -> None:
    """Nothing else of the page has changed, so no copy is evicted; one fold by the new tag would miss those that edges have."""
    site = Site(tmp_path, rules=Invalidation(free_paths=6))
    site.publish()
    site.publish(blog__0_html="<p>switched on")
    site.also["blog/0.html"] = name_tag("asset", "/docs.css")
    retagged = site.publish()
    assert (retagged.release, retagged.invalidation.items) == (None, ())
    restyled = site.publish(blog__0_html="<p>changed", docs_css="h1 { color: green }")
    assert f"#{name_tag('asset', '/docs.css')}" in restyled.invalidation.items
    assert len(restyled.invalidation.items) == 2
    assert site.also["blog/0.html"] in read_tags(restyled.decision.plan.wanted.artifacts[Key("blog/0.html")])


def test_stored_pages_carry_their_tags(tmp_path: Path) -> None:
    site = Site(tmp_path)
    decision = site.publish().decision
    artifacts = decision.plan.wanted.artifacts
    assert own_tag(artifacts[next(key for key in artifacts if key == "docs/1.html")].key, "/") in dict(
        site.world.bucket.objects["docs/1.html"].headers
    )[TAG_HEADER].split(",")
    assert not [artifact.key for artifact in artifacts.values() if artifact.file_class is not FileClass.ENTRY and read_tags(artifact)]
