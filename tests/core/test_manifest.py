"""Manifests as bytes: the same whatever the order, and back again."""

from __future__ import annotations

import hashlib
import json
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitepub.core.manifest import decode_rows, digest_manifest, encode_rows, make_manifest
from sitepub.core.model import Artifact, Digest, FileClass, Key, SourcePath
from tests.support.builders import CSS, HTML, artifact

keys = st.text(st.characters(codec="utf-8", exclude_categories=("Cc",)), min_size=1, max_size=30)
artifacts = st.builds(
    Artifact,
    key=keys.map(Key),
    file_class=st.sampled_from(FileClass),
    body=st.binary(min_size=32, max_size=32).map(lambda raw: Digest(raw.hex())),
    size=st.integers(0, 2**40),
    headers=st.sampled_from([HTML, CSS, ()]),
    source=st.one_of(st.none(), keys.map(SourcePath)),
)
manifests = st.lists(artifacts, max_size=30, unique_by=lambda made: made.key)


@given(manifests)
def test_rows_come_back_as_they_were(made: list[Artifact]) -> None:
    assert decode_rows(encode_rows(made)) == tuple(made)


@given(manifests, st.randoms())
def test_the_digest_does_not_depend_on_order(made: list[Artifact], random: object) -> None:
    shuffled = list(made)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert digest_manifest(make_manifest(made)) == digest_manifest(make_manifest(shuffled))


@given(manifests, st.sampled_from([3, 6, 3000]))
def test_the_digest_is_that_of_the_canonical_text(made: list[Artifact], rows_at_once: int) -> None:
    text = json.dumps(encode_rows(make_manifest(made).artifacts.values()), sort_keys=True, separators=(",", ":"))
    with mock.patch("sitepub.core.manifest._ROWS_AT_ONCE", rows_at_once):
        assert digest_manifest(make_manifest(made)) == hashlib.sha256(text.encode()).hexdigest()


def test_the_digest_sees_headers_and_classes() -> None:
    page = artifact("a.html", b"a")
    digests = {
        digest_manifest(make_manifest([page])),
        digest_manifest(make_manifest([artifact("a.html", b"a", headers=CSS)])),
        digest_manifest(make_manifest([artifact("a.html", b"a", FileClass.PINNED)])),
        digest_manifest(make_manifest([artifact("a.html", b"a", source="b.html")])),
    }
    assert len(digests) == 4


def test_a_digest_never_changes_without_a_new_format() -> None:
    """Recorded from the first release: a manifest that digests otherwise would make every site publish anew."""
    manifest = make_manifest([artifact("index.html", b"hello"), artifact("app.1.css", b"x", FileClass.ASSET, CSS, "app.css")])
    assert digest_manifest(manifest) == "9f1a66079b34cfd75a3fa3534dc9996a7fe72d7acddc0b7ab2588c9d2c5b2307"


def test_two_artifacts_of_one_key_are_a_defect() -> None:
    with pytest.raises(ValueError, match=r"a\.html"):
        make_manifest([artifact("a.html", b"a"), artifact("a.html", b"b")])
