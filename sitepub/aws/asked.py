"""What was asked of AWS, for whoever explains why it failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

AGAIN: Final = "run it again to finish"


@dataclass(frozen=True, slots=True)
class Asked:
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
