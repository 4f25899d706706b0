"""What looks like the path of a file in text that no scanner reads: `data-` attributes, JSON, templates. A guess, only ever used to keep aliases."""

from __future__ import annotations

import re

from sitepub.core.references.insertion import find_dot
from sitepub.core.references.literals import is_dismissed

_WORD = re.compile(r"""[^\x00-\x20"'`()<>{}\[\],;=|\\^]++""")
_EXTENSION = re.compile(r"\.(?=[0-9]*[A-Za-z])[A-Za-z0-9]{1,10}(?![^?#])")


def find_mentions(text: bytes) -> tuple[str, ...]:
    """Each once, in order. A backslash before a slash, as JSON may have it, is undone."""
    if b"." not in text:
        return ()
    words = _WORD.findall(text.decode("utf-8", "surrogateescape").replace("\\/", "/"))
    return tuple(dict.fromkeys(word for word in words if "." in word and _is_path(word)))


def _is_path(word: str) -> bool:
    dot = find_dot(word)
    return dot > 0 and _EXTENSION.match(word, dot) is not None and not is_dismissed(word)
