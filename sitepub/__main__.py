"""The command `sitepub`, and `python -m sitepub`."""

from __future__ import annotations

import gc
from typing import NoReturn

FEW_COLLECTIONS = 100_000
"""Values made before Python looks for circles among them; it would be 700."""


def main() -> NoReturn:
    """Sets what must be set before anything is imported, which makes values by the ten thousand."""
    # a site is a million values without a circle: looking for circles among them, time and again, is what a tenth of a run would go for
    gc.set_threshold(FEW_COLLECTIONS, 20, 20)
    from sitepub import cli

    cli.main()


if __name__ == "__main__":
    main()
