"""Single writes to the site's keys, each safe to repeat: what stands there is looked at before it is concluded to be foreign."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct

from sitepub.core.model import WEBSITE_REDIRECT, Artifact, Digest, ETag, FileClass, HeaderSet, Key
from sitepub.core.plan import Step
from sitepub.errors import DefectError, RefusedError, StoppedError
from sitepub.interfaces import Absent, Body, ConditionFailedError, Expectation, FileBody, Head, Place, Present, Store, StoreReader

LOOK_FIRST_ABOVE = 1024 * 1024
"""A body above this many bytes is worth a HEAD before it is sent again."""

TRIES = 4
"""A write that loses against others this often in a row meets something that keeps writing."""

BodyOf = Callable[[Artifact], Body | Place]
"""Where the body of an artifact comes from: bytes, a file, or a place in the target to copy from."""


class Outcome(StrEnum):
    DONE = "done"
    FOREIGN = "foreign"


class Written(Struct, frozen=True, gc=False):
    """`etag` None: nothing stands at the key now."""

    outcome: Outcome
    etag: ETag | None = None


def upload_asset(store: Store, artifact: Artifact, body_of: BodyOf, *, looks_first: bool = False, needs_new_etag: bool = False) -> ETag:
    """Puts a file that nobody refers to yet. One that is there already is checked, not sent again. `needs_new_etag`: after a `gc` that ended
    half-way; a delete of its may be under way still."""
    for _ in range(TRIES):
        etag = _put_asset(store, artifact, body_of, looks_first=looks_first)
        if not needs_new_etag:
            return etag
        renewed = give_new_etag(store, artifact.key, artifact.headers, artifact.body, etag)
        if renewed is not None:
            return renewed
    raise ConditionFailedError(artifact.key)


def give_new_etag(store: Store, key: Key, headers: HeaderSet, digest: Digest, etag: ETag) -> ETag | None:
    """Writes what stands there once more, so that conditional writes of a dead run that are still under way find something else than they
    expect: of the same bytes the ETag would be the same. None where one of them was faster."""
    try:
        return store.copy(store.place(key), key, headers, digest=digest, expect=Present(etag)) if store.is_conditional else etag
    except ConditionFailedError:
        return None
    except StoppedError as error:
        if error.code != "missing-body":
            raise
        return None


def _put_asset(store: Store, artifact: Artifact, body_of: BodyOf, *, looks_first: bool) -> ETag:
    expect: Expectation = Absent()
    for _ in range(TRIES):
        if looks_first or artifact.size > LOOK_FIRST_ABOVE or expect != Absent():
            head = store.head(artifact.key)
            if head is not None and is_standing(store, head, artifact):
                return head.etag
            expect = Absent() if head is None else _check_collision(store, artifact, head)
        try:
            return _write(store, artifact, body_of(artifact), expect)
        except ConditionFailedError as refused:
            standing = store.head(artifact.key)
            if standing is not None:
                if is_standing(store, standing, artifact):
                    return standing.etag
                expect = _check_collision(store, artifact, standing)
            last = refused
    raise last


def write_step(store: Store, step: Step, body_of: BodyOf, *, before_write: Callable[[], None], listed: ETag | None = None) -> Written:
    """Does one step of promote. `listed`: the ETag that a listing of this run found, where it alone says what stands there."""
    expect = _first_guess(step, listed)
    for _ in range(TRIES):
        if expect is None:
            head = store.head(step.key)
            if head is None and step.wanted is None:
                return Written(Outcome.DONE)
            if head is not None and step.wanted is not None and is_standing(store, head, step.wanted):
                return Written(Outcome.DONE, head.etag)
            if head is not None and not step.is_forced and not any(a and is_standing(store, head, a) for a in step.candidates):
                return Written(Outcome.FOREIGN, head.etag)
            expect = Absent() if head is None else Present(head.etag)
        before_write()
        try:
            if step.wanted is None:
                store.delete(step.key, expect=expect)
                return Written(Outcome.DONE)
            return Written(Outcome.DONE, _write(store, step.wanted, body_of(step.wanted), expect))
        except ConditionFailedError:
            expect = None
    return Written(Outcome.FOREIGN)


def is_standing(store: StoreReader, head: Head, artifact: Artifact) -> bool:
    """The bytes and headers at the key are the artifact's. Headers count only where the store keeps them."""
    if head.size != artifact.size or (head.digest or _digest_of(store, artifact)) != artifact.body:
        return False
    return not store.keeps_headers or _plain(head.headers) == _plain(artifact.headers)


def _digest_of(store: StoreReader, artifact: Artifact) -> str | None:
    stored = store.read(artifact.key)
    return None if stored is None else hashlib.sha256(stored.body).hexdigest()


def _plain(headers: HeaderSet) -> HeaderSet:
    """Without the website redirect, which S3-compatibles drop in silence."""
    return tuple(pair for pair in headers if pair[0] != WEBSITE_REDIRECT)


def _first_guess(step: Step, listed: ETag | None) -> Expectation | None:
    """What the write may expect without a look; None where only a look can tell."""
    if listed is not None:
        return Present(listed)
    if step.etag is not None:
        return Present(step.etag)
    if step.candidates == (None,) and step.wanted is not None:
        return Absent()
    return None


def _write(store: Store, artifact: Artifact, body: Body | Place, expect: Expectation) -> ETag:
    if isinstance(body, Place):
        return store.copy(body, artifact.key, artifact.headers, digest=artifact.body, expect=expect)
    if isinstance(body, FileBody) and body.digest != artifact.body:
        raise DefectError("wrong-body", f"`{artifact.key}` was about to be written with another body", "please report this")
    return store.put(artifact.key, body, artifact.headers, digest=artifact.body, expect=expect)


def _check_collision(store: Store, artifact: Artifact, head: Head) -> Expectation:
    """The same bytes under other headers are taken over; other bytes under a hashed name are somebody else's."""
    if head.size == artifact.size and (head.digest or _digest_of(store, artifact)) == artifact.body:
        return Present(head.etag)
    hint = "delete it if it is nobody's, or set `fingerprint.digest_length` higher"
    if artifact.file_class is FileClass.FROZEN:
        hint = "delete it if it is nobody's, or let `--allow foreign` overwrite it"
    raise RefusedError("name-taken", f"`{artifact.key}` already holds other bytes, which sitepub did not write", hint)
