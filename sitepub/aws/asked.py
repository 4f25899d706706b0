"""What was asked of AWS, for whoever explains why it failed."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

AGAIN: Final = "run it again to finish"


class Asked(Struct, frozen=True):
    """What was asked: the IAM action, where, and how. `is_first`: nothing has been answered yet."""

    action: str
    where: str
    bucket: str = ""
    region: str = ""
    profile: str | None = None
    is_first: bool = False

    @property
    def profile_option(self) -> str:
        return f" --profile {self.profile}" if self.profile else ""
