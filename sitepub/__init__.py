"""sitepub publishes a built static site to a folder or to S3 behind CloudFront. docs/library.md shows how to use it from Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from sitepub.core.changes import Change as Change
    from sitepub.core.changes import Summary as Summary
    from sitepub.edges import Invalidated as Invalidated
    from sitepub.errors import ExitStatus as ExitStatus
    from sitepub.errors import SitepubError as SitepubError
    from sitepub.library import plan as plan
    from sitepub.library import publish as publish
    from sitepub.library import rollback as rollback
    from sitepub.library import status as status
    from sitepub.looking import Seen as Seen
    from sitepub.report_account import Account as Account

__all__ = (
    *("Account", "Change", "ExitStatus", "Invalidated", "Seen", "SitepubError", "Summary"),
    *("__version__", "plan", "publish", "rollback", "status"),
)

_HOMES = {
    **dict.fromkeys(("plan", "publish", "rollback", "status"), "sitepub.library"),
    **dict.fromkeys(("Change", "Summary"), "sitepub.core.changes"),
    **dict.fromkeys(("ExitStatus", "SitepubError"), "sitepub.errors"),
    "Account": "sitepub.report_account",
    "Invalidated": "sitepub.edges",
    "Seen": "sitepub.looking",
}


def __getattr__(name: str) -> object:
    """Nothing is imported before it is asked for: start-up is part of every command."""
    if name not in _HOMES:
        raise AttributeError(f"module `sitepub` has no attribute `{name}`")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
