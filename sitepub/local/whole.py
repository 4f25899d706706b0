"""Small files that are written as a whole or not at all, whoever reads meanwhile."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """For this user alone; makes the folder, too. A file that is there is replaced at once. Raises OSError, and then leaves what was there.

    `tempfile` does the same, and takes longer to import than a short run takes to write.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = f"{path}.{os.urandom(8).hex()}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - of a descriptor
            file.write(content)
        os.replace(draft, path)  # noqa: PTH105
    except OSError:
        Path(draft).unlink(missing_ok=True)
        raise
