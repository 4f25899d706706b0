"""A target that another tool filled, and an adopt of it over the wire."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest import mock

from sitepub.adopting import ADOPTED, adopt, plan_adoption
from sitepub.config import load_config
from sitepub.core.model import Key
from sitepub.core.settings import BucketAddress
from sitepub.decision import Permits
from sitepub.errors import RefusedError
from sitepub.history import History
from sitepub.interfaces import SourceFile
from sitepub.local.source import FolderSource
from sitepub.pipeline import publish
from sitepub.preparing import Prepared
from sitepub.publishing import CONDITIONS
from sitepub.request import Request
from sitepub.wiring import Opened
from tests.fire.ground import Ground, Reach
from tests.support.builders import SilentProgress
from tests.support.servers import ENVIRONMENT

VERSION = 1
FOREIGN = {"chunk-of-theirs.txt": b"theirs"}
"""Named so that it may stand beside any release."""

STOOD: Mapping[str, bytes] = {
    "index.html": b"front of theirs load:app.css load:module.js load:chunk-5A2B.js",
    "docs/index.html": b"leaf of theirs load:app.css",
    "same.html": b"always load:app.css",
    "app.css": b"a{margin:1px}",
    "module.js": b"export default 'theirs'",
    "chunk-5A2B.js": b"chunk",
    "feed.xml": b"<rss>",
    "paper.pdf": bytes([9]) * (1024 * 1024 + 1),
}
THEIR_TYPE = "application/x-theirs"


def fill(ground: Ground) -> None:
    """As others do: no digest beside it, no word on caching."""
    address, client = _address(ground), _client(ground)
    for key, body in {**find_stood(ground), **FOREIGN}.items():
        client.put_object(Bucket=address.bucket, Key=f"{address.prefix}/{key}", Body=body, ContentType=THEIR_TYPE)


def find_stood(ground: Ground) -> Mapping[str, bytes]:
    return STOOD if ground.is_large else {key: body for key, body in STOOD.items() if key != "paper.pdf"}


def adopt_with(ground: Ground, reach: Reach) -> None:
    opened = ground.open(reach)
    process = ground.next_process()
    with mock.patch("sitepub.publishing.this_process", lambda: process), mock.patch("sitepub.publishing.is_surely_gone", ground.is_gone):
        planned = plan_adoption(_prepare(ground, opened), opened.sight, SilentProgress(), started=0)
        adopt(planned, opened, SilentProgress(), lock_timeout=0, wait=False, started=0)


def adopt_again(ground: Ground) -> None:
    """What the user does who does not know how far it came."""
    try:
        adopt_with(ground, Reach())
    except RefusedError as refused:
        if refused.code != "already-managed":
            raise
        ground.publish(VERSION)


def publish_over(ground: Ground, number: int) -> None:
    """Where nothing of ours is there yet, their keys may be overwritten: that has to be said."""
    edges = ground.edges()
    permits = Permits(foreign=edges.releases.read_state().etag is None)
    publish(edges, ground.version(number), lambda _: None, permits, lock_timeout=0)


def bring_back(ground: Ground) -> None:
    """Straight after the crash where what stood there was kept before it, else after another adopt."""
    if ground.edges().releases.read_state().etag is None:
        adopt_with(ground, Reach())
    edges = ground.edges()
    ground.roll_back(edges, edges.releases.read_state().state.provisioned[ADOPTED])


def check_brought_back(ground: Ground) -> None:
    """Bytes and types are theirs again, and nothing else of the site stands at a name that stays."""
    state = ground.state()
    assert (state.pending, state.collect, state.owed, state.provisioned.get(CONDITIONS)) == (None, None, (), None)
    bodies = ground.bodies()
    stood = find_stood(ground)
    assert {key: bodies[key] for key in stood} == stood
    store = ground.edges().store
    for key in stood:
        head = store.head(Key(key))
        assert head is not None
        assert head.headers == (("Content-Type", THEIR_TYPE),), key
    assert not [key for key in bodies if key not in stood and key.endswith((".html", ".xml", ".pdf"))]
    check_foreign(ground)


def check_foreign(ground: Ground) -> None:
    bodies = ground.bodies()
    assert {key: bodies.get(key) for key in FOREIGN} == FOREIGN


def _prepare(ground: Ground, opened: Opened) -> Prepared:
    config = load_config(ground.folder / "sitepub.yaml", os.environ)
    wish = ground.version(VERSION)
    paths = sorted({artifact.source for artifact in wish.manifest.artifacts.values() if artifact.source is not None})
    source = FolderSource(Path("/nonexistent"), tuple(SourceFile(path, 0, 0, 0) for path in paths))
    history = History(None, wish.commit, None, Permits())
    return Prepared(Request(config, opened.target, ENVIRONMENT), source, wish, 0, history, opened.releases.read_state(), ())


def _address(ground: Ground) -> BucketAddress:
    assert isinstance(ground.direct.store, BucketAddress)
    return ground.direct.store


def _client(ground: Ground) -> Any:
    return ground.through(8, 15).client("s3", region="us-east-1", endpoint_url=ground.direct.endpoint_url)
