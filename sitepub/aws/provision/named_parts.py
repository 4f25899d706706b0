"""What is known by its name because it can't be tagged, an access control or a headers policy: made, changed and removed in one way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from sitepub.aws.provision.api import Api, Refused
from sitepub.core.provision.configs import overlay
from sitepub.core.provision.found import FoundPart
from sitepub.errors import StoppedError


class PartKind(Struct, frozen=True):
    """What CloudFront calls it: `noun` in the names of calls (`origin_access_control`), `shape` in answers and errors (`OriginAccessControl`)."""

    noun: str
    shape: str

    @property
    def config(self) -> str:
        """What calls and answers name its settings."""
        return f"{self.shape}Config"

    @property
    def missing(self) -> tuple[str, ...]:
        """How CloudFront says that there is none."""
        return (f"NoSuch{self.shape}",)


def ensure_part(api: Api, kind: PartKind, wanted: Mapping[str, Any], found: FoundPart | None, find: Callable[[], FoundPart | None]) -> str:
    """Its id. `wanted`: its settings; `found`: as it was seen, which `find` sees anew where another run was faster. Raises StoppedError
    `not-there-yet` where one of that name is there and is not listed yet, or is not ours."""
    if found is None:
        try:
            return _create(api, kind, wanted)
        except Refused as refusal:
            found = find()
            if found is None or not found.is_ours:
                message = f"`{wanted['Name']}` was made meanwhile ({refusal.code}), and is not listed as ours"
                raise StoppedError("not-there-yet", message, "run it again to go on") from refusal
    if not found.is_right:
        _change(api, kind, found.handle, wanted)
    return found.handle


def remove_part(api: Api, kind: PartKind, found: FoundPart) -> None:
    """One that is gone is passed over. A distribution that was just deleted may use it for a while yet."""
    try:
        standing = api.ask("cloudfront", f"get_{kind.noun}", Id=found.handle, expected=kind.missing)
        api.ask(
            "cloudfront",
            f"delete_{kind.noun}",
            Id=found.handle,
            IfMatch=standing["ETag"],
            expected=kind.missing,
            passing=(f"{kind.shape}InUse",),
        )
    except Refused:
        return


def _create(api: Api, kind: PartKind, wanted: Mapping[str, Any]) -> str:
    settings: dict[str, Any] = {kind.config: wanted}
    answer = api.ask("cloudfront", f"create_{kind.noun}", expected=(f"{kind.shape}AlreadyExists",), **settings)
    return str(answer[kind.shape]["Id"])


def _change(api: Api, kind: PartKind, part_id: str, wanted: Mapping[str, Any]) -> None:
    standing = api.ask("cloudfront", f"get_{kind.noun}_config", Id=part_id)
    settings: dict[str, Any] = {kind.config: overlay(standing[kind.config], wanted)}
    api.ask("cloudfront", f"update_{kind.noun}", Id=part_id, IfMatch=standing["ETag"], **settings)
