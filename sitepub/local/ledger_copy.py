"""What was last known of the month's ledger, kept on this machine so that a look need not count again. May be deleted at any time."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from sitepub.core.ledger import Ledger, decode_ledger, encode_ledger
from sitepub.local.whole import write_whole


class LedgerCopy:
    """One file. Failing to keep it costs requests later, nothing else, so it is never an error."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Ledger:
        """An empty ledger where there is no copy, or a damaged one."""
        try:
            return decode_ledger(json.loads(self._path.read_bytes()))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return Ledger()

    def keep(self, ledger: Ledger) -> None:
        with suppress(OSError):
            write_whole(self._path, json.dumps(encode_ledger(ledger)).encode())
