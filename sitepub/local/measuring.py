"""How large a folder is."""

from __future__ import annotations

import os
from pathlib import Path


def measure_folder(folder: Path) -> int:
    """In bytes; 0 where there is none yet. Only an estimate is made from it: what can't be read counts nothing."""
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(where, name)).st_size  # noqa: PTH118
            except OSError:
                continue
    return total
