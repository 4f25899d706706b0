"""What an open page has to do when the site that it shows was built again. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping

from msgspec import Struct

from sitepub.core.model import Digest, Key, SourcePath
from sitepub.core.urls import url_of

_STYLE = ".css"


class Built(Struct, frozen=True):
    """A built site as far as reloading asks. `digests`: of each file as built; `keys`: where each stands."""

    digests: Mapping[SourcePath, Digest]
    keys: Mapping[SourcePath, Key]


class Reload(Struct, frozen=True):
    """`styles`: the URL paths of stylesheets before and after, where nothing else changed; else the page is loaded again."""

    styles: tuple[tuple[str, str], ...] = ()

    def as_json(self) -> str:
        """As the script in an open page reads it."""
        return json.dumps({"styles": self.styles} if self.styles else {"reload": True})


def find_reload(before: Built, after: Built, url_path: str) -> Reload | None:
    """None where no file changed. Pages that changed only because a stylesheet has another name now count as unchanged: theirs is swapped in place."""
    changed = {path for path in before.digests.keys() | after.digests.keys() if before.digests.get(path) != after.digests.get(path)}
    if not changed:
        return None
    if not all(path.endswith(_STYLE) and path in before.keys and path in after.keys for path in changed):
        return Reload()
    # one that imports what changed has a new name as well
    styles = [path for path in after.keys if path.endswith(_STYLE) and (path in changed or before.keys.get(path) != after.keys[path])]
    return Reload(
        tuple((url_of(before.keys.get(path, after.keys[path]), url_path), url_of(after.keys[path], url_path)) for path in sorted(styles))
    )
