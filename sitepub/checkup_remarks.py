"""What a check looks at and what it says, shared by all checks of `doctor`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum

from msgspec import Struct

from sitepub.errors import SitepubError
from sitepub.interfaces import DistributionFacts
from sitepub.releases import Snapshot
from sitepub.request import Request
from sitepub.wiring import Sight
from sitepub.wiring_inspection import Inspection


class Severity(StrEnum):
    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


class Remark(Struct, frozen=True):
    """What a check found. `hint`: the way out of a note or problem."""

    code: str
    severity: Severity
    message: str
    hint: str = ""


class Patient(Struct, frozen=True):
    """What the checks look at. `snapshot` None: the state can't be read; `facts`: the distribution, where there is one; `lacks_bucket`: so that
    `sitepub up` comes next."""

    request: Request
    sight: Sight
    inspection: Inspection
    snapshot: Snapshot | None
    facts: DistributionFacts | None
    lacks_bucket: bool = False


Check = Callable[[Patient], Iterable[Remark]]


def fine(code: str, message: str) -> Remark:
    return Remark(code, Severity.OK, message)


def problem(error: SitepubError) -> Remark:
    return Remark(error.code, Severity.PROBLEM, error.message, error.hint)
