"""The edge function: made, brought up to date, published. Only what is published serves."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from sitepub.aws.provision.api import Api, Lacking, Refused
from sitepub.core.provision.blueprint import Blueprint
from sitepub.core.provision.configs import FUNCTION_RUNTIME
from sitepub.core.provision.found import FoundPart
from sitepub.errors import StoppedError

_MISSING = ("NoSuchFunctionExists",)
_TRIES = 5
"""Times that it is looked at anew where another run made or changed it meanwhile."""


def find_function(api: Api, blueprint: Blueprint) -> FoundPart | None:
    """Right is one whose published text is the wanted one."""
    summary = _describe(api, blueprint.name, "DEVELOPMENT")
    if summary is None:
        return None
    is_ours = summary["FunctionConfig"].get("Comment") == blueprint.comment
    arn = str(summary["FunctionMetadata"]["FunctionARN"])
    return FoundPart(arn, is_ours, is_right=is_ours and _read_text(api, blueprint.name, "LIVE") == blueprint.function)


def ensure_function(api: Api, blueprint: Blueprint, found: FoundPart | None) -> str:
    """Its ARN. An endpoint that can't publish gets rid of it again, and raises Lacking."""
    if found is not None and found.is_right:
        return found.handle
    try:
        etag, arn = _bring_up_to_date(api, blueprint)
        _publish(api, blueprint, etag)
    except Lacking:
        with suppress(Lacking):
            remove_function(api, blueprint)
        raise
    return arn


def remove_function(api: Api, blueprint: Blueprint) -> None:
    """One that is gone is passed over. A distribution that was just deleted may use it for a while yet."""
    summary = _describe(api, blueprint.name, "DEVELOPMENT")
    if summary is None:
        return
    with suppress(Refused):
        api.ask(
            "cloudfront", "delete_function", Name=blueprint.name, IfMatch=summary["ETag"], expected=_MISSING, passing=("FunctionInUse",)
        )


def _bring_up_to_date(api: Api, blueprint: Blueprint) -> tuple[str, str]:
    """ETag of what is not published yet, and the ARN. Raises StoppedError `changes-all-the-time`."""
    config = {"Comment": blueprint.comment, "Runtime": FUNCTION_RUNTIME}
    code = blueprint.function.encode()
    for _ in range(_TRIES):
        summary = _describe(api, blueprint.name, "DEVELOPMENT")
        try:
            if summary is None:
                made = api.ask(
                    "cloudfront",
                    "create_function",
                    Name=blueprint.name,
                    FunctionConfig=config,
                    FunctionCode=code,
                    expected=("FunctionAlreadyExists",),
                )
                return str(made["ETag"]), str(made["FunctionSummary"]["FunctionMetadata"]["FunctionARN"])
            arn = str(summary["FunctionMetadata"]["FunctionARN"])
            if _read_text(api, blueprint.name, "DEVELOPMENT") == blueprint.function:
                return str(summary["ETag"]), arn
            # its ETag is read anew: AWS answers it in a header called `ETtag`, others in the one that it should be
            api.ask(
                "cloudfront",
                "update_function",
                Name=blueprint.name,
                IfMatch=summary["ETag"],
                FunctionConfig=config,
                FunctionCode=code,
                expected=("PreconditionFailed", "InvalidIfMatchVersion"),
            )
        except Refused:
            continue
    raise StoppedError(
        "changes-all-the-time", f"edge function `{blueprint.name}` is changed by others at the same time", "run it again to go on"
    )


def _publish(api: Api, blueprint: Blueprint, etag: str) -> None:
    api.ask("cloudfront", "publish_function", Name=blueprint.name, IfMatch=etag)


def _describe(api: Api, name: str, stage: str) -> Any | None:
    """A FunctionSummary with its ETag; None where there is none. `stage`: DEVELOPMENT, or LIVE for what is published."""
    try:
        answer = api.ask("cloudfront", "describe_function", Name=name, Stage=stage, expected=_MISSING)
    except Refused:
        return None
    return {**answer["FunctionSummary"], "ETag": answer["ETag"]}


def _read_text(api: Api, name: str, stage: str) -> str | None:
    """The function's code; None where there is none at that stage."""
    try:
        answer = api.ask("cloudfront", "get_function", Name=name, Stage=stage, expected=_MISSING)
    except Refused:
        return None
    code = answer["FunctionCode"]
    return str((code if isinstance(code, bytes) else code.read()).decode("utf-8", "replace"))
