"""The record of ETags: read a piece at a time, whatever its keys are, and nothing but what was asked for."""

from __future__ import annotations

from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sitepub.core.compressed import compress_tree, decompress_tree
from sitepub.core.document import LARGE_RECORD, decode_record, encode_record
from sitepub.core.model import ETag, Key
from sitepub.errors import ConfigurationError

words = st.text(st.sampled_from('ab/",:}{\\é\U0001f600 '), max_size=8)
answers = st.dictionaries(words.map(Key), st.none() | words.map(ETag), max_size=8)


@settings(deadline=None)
@given(answers, st.integers(1, 60), st.sampled_from([0, LARGE_RECORD]), st.integers(1, 3), st.data())
def test_a_record_holds_what_stands_there(
    answered: dict[Key, ETag | None], piece: int, large: int, at_once: int, data: st.DataObject
) -> None:
    with mock.patch("sitepub.core.document.ETAGS_AT_ONCE", at_once):
        stored = encode_record(answered)
    etags = {key: etag for key, etag in answered.items() if etag}
    assert decompress_tree(stored, "") == {"format": 1, "etags": etags}
    with mock.patch("sitepub.core.compressed.PIECE_BYTES", piece), mock.patch("sitepub.core.document.LARGE_RECORD", large):
        assert decode_record(stored, where="") == etags
        some = data.draw(st.sets(st.sampled_from(sorted(etags)))) if etags else set()
        assert decode_record(stored, some, where="") == {key: etags[key] for key in some}


@pytest.mark.parametrize("keys", [None, {Key("a")}], ids=["all", "some"])
@pytest.mark.parametrize("large", [0, LARGE_RECORD], ids=["in pieces", "whole"])
@pytest.mark.parametrize(
    "stored",
    [
        b"",
        b"no zstd",
        compress_tree({"format": 2, "etags": {}}),
        compress_tree({"format": 1, "etags": {"a": 1}}),
        compress_tree({"format": 1, "etags": {"a": "b"}, "more": 1}),
        compress_tree({"format": 1}),
        encode_record({Key(f"{number}"): ETag("x") for number in range(1000)})[:-20],
    ],
)
def test_what_is_no_record_is_damaged(stored: bytes, large: int, keys: set[Key] | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sitepub.core.document.LARGE_RECORD", large)
    with pytest.raises(ConfigurationError, match="`here`"):
        decode_record(stored, keys, where="here")
