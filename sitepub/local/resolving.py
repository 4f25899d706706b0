"""Names as this machine's resolver finds them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterable, Mapping

from sitepub.core.whereabouts import Resolution

SECONDS = 4.0
"""A resolver that is not there is waited for no longer, however many names are asked for."""

_NO_NAME = frozenset((socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)))


def resolve_all(names: Iterable[str], *, seconds: float = SECONDS) -> Mapping[str, Resolution | None]:
    """All at once. None: there is no such name. A name that got no answer in time is left out."""
    answers: dict[str, Resolution | None] = {}

    def ask(name: str) -> None:
        try:
            answers[name] = resolve(name)
        except OSError:
            return

    # daemons: the system's resolver can't be interrupted
    threads = [threading.Thread(target=ask, args=(name,), daemon=True) for name in dict.fromkeys(names)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return dict(answers)


def resolve(name: str) -> Resolution | None:
    """Raises OSError where nobody answers."""
    try:
        found = socket.getaddrinfo(name, 443, type=socket.SOCK_STREAM, flags=socket.AI_CANONNAME)
    except socket.gaierror as failure:
        if failure.errno in _NO_NAME:
            return None
        raise
    canonical = next((each[3] for each in found if each[3]), name)
    return Resolution(canonical.rstrip(".").lower(), tuple(sorted({str(each[4][0]) for each in found})))
