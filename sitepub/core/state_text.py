"""The state as text, `.sitepub/state.json`: JSON that every later version reads."""

from __future__ import annotations

import json
from typing import Any, cast

from sitepub.core.ledger import decode_ledger, encode_ledger
from sitepub.core.model import Commit, Digest, ETag, Key, ReleaseId
from sitepub.core.state import Collect, Lease, Owed, Pending, Process, Record, Release, State
from sitepub.errors import ConfigurationError

FORMAT = 1


def encode_state(state: State) -> bytes:
    """UTF-8 JSON, indented: people read it when things go wrong."""
    document = {
        "format": FORMAT,
        "seq": state.seq,
        "nonce": state.nonce,
        "live": state.live,
        "record": {"base": state.record.base, "changed": dict(sorted(state.record.changed.items()))},
        "pending": _encode_pending(state.pending),
        "owed": [{"seq": owed.seq, "items": list(owed.items)} for owed in state.owed],
        "releases": [_encode_release(release) for release in state.releases],
        "collect": None
        if state.collect is None
        else {"seq": state.collect.seq, "owes": list(state.collect.owes), "lease": _encode_lease(state.collect.lease)},
        "collected": state.collected,
        "swept": state.is_swept,
        "provisioned": dict(sorted(state.provisioned.items())),
        "ledger": encode_ledger(state.ledger),
        "expires_at": state.expires_at,
    }
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def decode_state(text: bytes, *, where: str) -> State:
    """Raises ConfigurationError where the text is no state, or one of a later sitepub."""
    try:
        document = json.loads(text)
        known = document["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(where) from error
    if known != FORMAT:
        message = f"`{where}` has state format {known}, this sitepub knows format {FORMAT}"
        raise ConfigurationError("unknown-state-format", message, "update sitepub on this machine")
    try:
        return _decode_state(document)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(where) from error


def _damaged(where: str) -> ConfigurationError:
    hint = "restore the file from a version or backup, or move it away and run `sitepub adopt`"
    return ConfigurationError("damaged-state", f"`{where}` is not a state that sitepub wrote", hint)


def _decode_state(document: dict[str, Any]) -> State:
    record = document["record"]
    return State(
        seq=int(document["seq"]),
        nonce=str(document["nonce"]),
        live=cast(ReleaseId | None, document["live"]),
        record=Record(record["base"], {Key(key): ETag(etag) for key, etag in record["changed"].items()}),
        pending=_decode_pending(document["pending"]),
        owed=tuple(Owed(int(owed["seq"]), tuple(owed["items"])) for owed in document["owed"]),
        releases=tuple(_decode_release(release) for release in document["releases"]),
        collect=_decode_collect(document["collect"]),
        collected=int(document["collected"]),
        is_swept=bool(document.get("swept", False)),
        provisioned=dict(document["provisioned"]),
        ledger=decode_ledger(document.get("ledger")),
        expires_at=str(document.get("expires_at", "")),
    )


def _encode_release(release: Release) -> dict[str, object]:
    return {
        "release": release.id,
        "seq": release.seq,
        "manifest": release.manifest,
        "document": release.document,
        "commit": _encode_commit(release.commit),
        "published_at": release.published_at,
        "entries": release.entries,
        "assets": release.assets,
        "over": list(release.over),
        "origin": release.origin,
        "invalidated_at": release.invalidated_at,
    }


def _decode_release(document: dict[str, Any]) -> Release:
    return Release(
        id=ReleaseId(document["release"]),
        seq=int(document["seq"]),
        manifest=Digest(document["manifest"]),
        document=Digest(document["document"]),
        commit=_decode_commit(document["commit"]),
        published_at=str(document["published_at"]),
        entries=int(document["entries"]),
        assets=int(document["assets"]),
        over=tuple(ReleaseId(release) for release in document["over"]),
        origin=cast(ReleaseId | None, document["origin"]),
        invalidated_at=str(document.get("invalidated_at", "")),
    )


def _encode_commit(commit: Commit | None) -> dict[str, object] | None:
    if commit is None:
        return None
    return {
        "id": commit.id,
        "branch": commit.branch,
        "subject": commit.subject,
        "author": commit.author,
        "committed_at": commit.committed_at,
        "is_dirty": commit.is_dirty,
    }


def _decode_commit(document: dict[str, Any] | None) -> Commit | None:
    return None if document is None else Commit(**document)


def _encode_pending(pending: Pending | None) -> dict[str, object] | None:
    if pending is None:
        return None
    return {
        "release": _encode_release(pending.release),
        "owes": list(pending.owes),
        "over": [_encode_release(release) for release in pending.over],
        "asked": pending.asked,
        "lease": _encode_lease(pending.lease),
    }


def _decode_pending(document: dict[str, Any] | None) -> Pending | None:
    if document is None:
        return None
    return Pending(
        release=_decode_release(document["release"]),
        owes=tuple(document["owes"]),
        over=tuple(_decode_release(release) for release in document["over"]),
        lease=_decode_lease(document["lease"]),
        asked=bool(document["asked"]),
    )


def _decode_collect(document: dict[str, Any] | None) -> Collect | None:
    return None if document is None else Collect(int(document["seq"]), tuple(document["owes"]), _decode_lease(document["lease"]))


def _encode_lease(lease: Lease) -> dict[str, object]:
    process = lease.process
    return {
        "token": lease.token,
        "seconds": lease.seconds,
        "process": None
        if process is None
        else {
            "host": process.host,
            "boot_id": process.boot_id,
            "pid_namespace": process.pid_namespace,
            "pid": process.pid,
            "started": process.started,
        },
    }


def _decode_lease(document: dict[str, Any]) -> Lease:
    process = None if document["process"] is None else Process(**document["process"])
    return Lease(str(document["token"]), process, int(document["seconds"]))
