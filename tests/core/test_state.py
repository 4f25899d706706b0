"""The state's JSON and its transitions."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitepub.core.ledger import Batch, Ledger, Sealed
from sitepub.core.model import Commit, Digest, ETag, Key, ReleaseId
from sitepub.core.state import (
    Collect,
    Lease,
    Owed,
    Pending,
    Process,
    Record,
    Release,
    State,
    begin,
    begin_collect,
    end_collect,
    finish,
    give_back,
    owe,
    take_off,
)
from sitepub.core.state_text import decode_state, encode_state
from sitepub.errors import ConfigurationError

words = st.text(max_size=12)
commits = st.builds(Commit, words, st.none() | words, words, words, st.integers(0, 2**33), st.booleans())
releases = st.builds(
    Release,
    id=words.map(ReleaseId),
    seq=st.integers(0, 9),
    manifest=words.map(Digest),
    document=words.map(Digest),
    commit=st.none() | commits,
    published_at=words,
    entries=st.integers(0, 9),
    assets=st.integers(0, 9),
    over=st.lists(words.map(ReleaseId), max_size=2).map(tuple),
    origin=st.none() | words.map(ReleaseId),
    invalidated_at=words,
)
processes = st.builds(Process, words, words, words, st.integers(0, 9), words)
leases = st.builds(Lease, words, st.none() | processes, st.integers(1, 99))
pendings = st.builds(
    Pending,
    release=releases,
    owes=st.lists(words, max_size=3).map(tuple),
    lease=leases,
    over=st.lists(releases, max_size=2).map(tuple),
    asked=st.booleans(),
)
times = st.floats(0, 2**33)
ledgers = st.builds(
    Ledger,
    month=words,
    counted_at=st.none() | times,
    sealed=st.dictionaries(words, st.builds(Sealed, times, st.integers(0, 9), st.integers(0, 9)), max_size=2),
    recent=st.dictionaries(words, st.builds(Batch, times, st.integers(0, 9)), max_size=2),
)
states = st.builds(
    State,
    seq=st.integers(0, 99),
    nonce=words,
    live=st.none() | words.map(ReleaseId),
    record=st.builds(Record, st.none() | words, st.dictionaries(words.map(Key), words.map(ETag), max_size=3)),
    pending=st.none() | pendings,
    owed=st.lists(st.builds(Owed, st.integers(0, 9), st.lists(words, max_size=2).map(tuple)), max_size=2).map(tuple),
    releases=st.lists(releases, max_size=2).map(tuple),
    collect=st.none() | st.builds(Collect, st.integers(0, 9), st.lists(words, max_size=2).map(tuple), leases),
    collected=st.integers(0, 9),
    is_swept=st.booleans(),
    provisioned=st.dictionaries(words, words, max_size=2),
    ledger=ledgers,
)


@given(states)
def test_a_state_comes_back_as_it_was(state: State) -> None:
    assert decode_state(encode_state(state), where="state.json") == state


def test_a_state_of_before_the_ledger_is_read() -> None:
    document = json.loads(encode_state(State(seq=3)))
    del document["ledger"]
    assert decode_state(json.dumps(document).encode(), where="state.json") == State(seq=3)


@pytest.mark.parametrize("text", [b"", b"[]", b"null", b"{}", b'{"format": 1}', b'{"format": 1, "seq": "x"}', b"\xff"])
def test_what_is_no_state_is_a_clear_error(text: bytes) -> None:
    with pytest.raises(ConfigurationError) as caught:
        decode_state(text, where="s3://b/.sitepub/state.json")
    assert caught.value.code == "damaged-state"
    assert "s3://b/.sitepub/state.json" in caught.value.message


def test_a_later_format_is_refused() -> None:
    later = encode_state(State()).replace(b'"format": 1', b'"format": 2')
    with pytest.raises(ConfigurationError) as caught:
        decode_state(later, where="state.json")
    assert caught.value.code == "unknown-state-format"


def _release(name: str, seq: int = 1) -> Release:
    return Release(ReleaseId(name), seq, Digest("m"), Digest("d"), None, "", 1, 1)


def _pending(name: str, owes: tuple[str, ...] = ("/",), over: tuple[Release, ...] = ()) -> Pending:
    return Pending(_release(name), owes, Lease("token", Process("h", "b", "n", 1, "s")), over)


def test_finish_makes_the_pending_release_live_and_owes_what_it_owes() -> None:
    before = State(owed=(Owed(0, ("/old",)),))
    begun = begin(before, _pending("r1", over=(_release("r0"),)), nonce="b")
    done = finish(begun, record=Record(), published_at="now", nonce="f")
    assert (done.live, done.pending, done.nonce) == ("r1", None, "f")
    assert done.owed == (Owed(0, ("/old",)), Owed(1, ("/",)))
    assert done.live_release is not None
    assert done.live_release.published_at == "now"
    assert done.live_release.over == ("r0",)


def test_what_pending_owes_is_not_owed_before_finish() -> None:
    assert begin(State(), _pending("r1"), nonce="b").owed == ()


def test_nothing_is_owed_for_an_empty_invalidation() -> None:
    assert finish(begin(State(), _pending("r1", owes=()), nonce="b"), record=Record(), published_at="", nonce="f").owed == ()


def test_only_what_was_sent_is_taken_off() -> None:
    state = State(owed=(Owed(1, ("/a",)), Owed(2, ("/b",))))
    assert take_off(state, (Owed(1, ("/a",)),), Ledger(), nonce="t", accepted_at="").owed == (Owed(2, ("/b",)),)


def test_a_lease_that_was_given_back_names_no_run() -> None:
    pending = give_back(begin(State(), _pending("r1"), nonce="b"), nonce="g").pending
    assert pending is not None
    assert pending.lease == Lease("", None)


def test_an_invalidation_by_hand_gets_a_sequence_number_of_its_own() -> None:
    state = owe(owe(State(seq=4), ("/x",), nonce="1"), ("/x",), nonce="2")
    assert [debt.seq for debt in state.owed] == [5, 6]
    assert state.seq == 6


def test_a_target_stays_swept_as_long_as_no_gc_drops_a_release_and_stops() -> None:
    before = State(releases=(_release("r1"), _release("r2")), is_swept=True)
    collect = Collect(5, (), Lease("token", None))
    assert begin_collect(before, collect, before.releases, nonce="c").is_swept
    assert not begin_collect(before, collect, before.releases[1:], nonce="c").is_swept


def test_a_gc_makes_planners_start_over_and_owes_for_what_it_deletes() -> None:
    kept = _release("r2")
    before = State(releases=(_release("r1"), kept), live=ReleaseId("r2"))
    at_work = begin_collect(before, Collect(5, ("/js/lib.js",), Lease("token", None)), (kept,), nonce="c")
    assert (at_work.seq, at_work.collected, at_work.releases, at_work.owed) == (5, 1, (kept,), ())
    assert end_collect(at_work, nonce="e").owed == (Owed(5, ("/js/lib.js",)),)
    assert begin(at_work, _pending("r3"), nonce="b").owed == (Owed(5, ("/js/lib.js",)),)
    assert begin(at_work, _pending("r3"), nonce="b").collect is None
