"""A survey survives its journey between processes; URLs become paths as the page means them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sitepub.core.import_maps import MapForm
from sitepub.core.model import SourcePath
from sitepub.core.references import Language, scan
from sitepub.core.references.model import Use
from sitepub.core.survey import Place, Resolver, Survey, survey
from sitepub.core.survey_text import decode_survey, encode_survey
from sitepub.core.urls import SiteUrls

PATHS = st.text(max_size=8)
PLACES = st.builds(Place, st.integers(-1, 10**9), PATHS, st.sampled_from(Use), PATHS, st.integers(1, 10**6), st.booleans())
SURVEYS = st.builds(
    Survey,
    problem=st.none() | st.text(min_size=1, max_size=5),
    count=st.integers(0, 99),
    places=st.lists(PLACES, max_size=4).map(tuple),
    integrities=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), PATHS), max_size=2).map(tuple),
    keys=st.lists(PATHS, max_size=2).map(tuple),
    scopes=st.lists(PLACES, max_size=2).map(tuple),
    prefixes=st.lists(PATHS, max_size=2).map(tuple),
    patterns=st.lists(st.tuples(PATHS, PATHS), max_size=2).map(tuple),
    registers=st.lists(PATHS, max_size=2).map(tuple),
    web_manifests=st.lists(PATHS, max_size=2).map(tuple),
    digests=st.lists(PATHS, max_size=2).map(tuple),
    revisions=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), PATHS), max_size=2).map(tuple),
    mentions=st.lists(st.tuples(PATHS, PATHS), max_size=2).map(tuple),
    source_map=st.none() | st.text(min_size=1, max_size=5),
    is_module=st.booleans(),
    is_service_worker=st.booleans(),
    has_policy=st.booleans(),
    map_place=st.none() | st.tuples(st.integers(0, 9), st.sampled_from(MapForm)),
    encoding=st.none() | st.just("cp1252"),
    notes=st.lists(PATHS, max_size=2).map(tuple),
    is_pointer=st.booleans(),
)


def read(path: str, body: str, language: Language = Language.HTML, site: SiteUrls | None = None) -> Survey:
    raw = body.encode()
    return survey(scan(language, raw), page=SourcePath(path), language=language, body=raw, resolver=Resolver(site or SiteUrls()))


@given(SURVEYS)
def test_encoded_and_back(found: Survey) -> None:
    assert decode_survey(encode_survey(found)) == found


def test_lone_surrogates_of_names_that_are_not_utf_8_survive() -> None:
    found = Survey(keys=("\udce9.png",))
    assert decode_survey(encode_survey(found)) == found


def test_what_leaves_the_site_is_dropped_but_counted() -> None:
    found = read("a/b.html", '<img src="../x.png"><img src="https://other/x.png"><img src=/y.png>')
    assert [place.path for place in found.places] == ["x.png", "y.png"]
    assert found.count == 3


def test_a_base_moves_every_reference() -> None:
    found = read("index.html", '<base href="/sub/"><img src=x.png><script type=module>import "./m.js"</script>')
    assert [place.path for place in found.places] == ["sub/x.png", "sub/m.js"]


def test_the_same_url_in_two_folders_leads_to_two_files() -> None:
    resolver = Resolver(SiteUrls())
    assert resolver.find("x.png", SourcePath("a/i.html")) == "a/x.png"
    assert resolver.find("x.png", SourcePath("b/i.html")) == "b/x.png"
    assert resolver.find("?q", SourcePath("a/i.html")) == "a/i.html"
    assert resolver.find("?q", SourcePath("a/j.html")) == "a/j.html"


def test_web_manifests_are_found_however_they_are_spelled() -> None:
    spellings = ["<link rel=manifest href=x.json>", '<link href="x.json" rel="manifest">', "<LINK REL='icon manifest' HREF='x.json'/>"]
    assert [read("a.html", text).web_manifests for text in spellings] == [("x.json",)] * 3
    assert read("a.html", "<p>the manifest</p><link rel=icon href=x.json>").web_manifests == ()
    assert read("a.html", f"<!-- {spellings[0]} -->").web_manifests == ()


def test_a_scripts_strings_are_seen_from_its_folder_and_from_the_root() -> None:
    found = read("js/a.js", 'load("img/x.png")', Language.JAVASCRIPT)
    assert found.mentions == (("js/img/x.png", "img/x.png"),)
