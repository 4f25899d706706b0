"""Failures on the way to credentials, and requests that botocore itself refuses to send, as errors that users can act on."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from sitepub.aws.asked import Asked
from sitepub.aws.failures_answers import find_group
from sitepub.errors import ConfigurationError, SitepubError

_PROVIDER: Final = re.compile(r"from ([\w.-]+):")
_IN_BRACKETS: Final = re.compile(r"\(([^)]*)\)")


def explain_client_failure(failure: BaseException, asked: Asked) -> SitepubError | None:
    """By the name of the exception, so that botocore need not be imported; None for what is none of these."""
    for name in (kind.__name__ for kind in type(failure).__mro__):
        if name in _CLIENT_FAILURES:
            return _CLIENT_FAILURES[name](failure, asked)
    return _explain_missing_file(failure, asked) if isinstance(failure, FileNotFoundError) else None


def _explain_no_credentials(failure: BaseException, asked: Asked) -> SitepubError:
    return ConfigurationError(
        "no-credentials",
        f"{asked.where}: no AWS credentials were found",
        "set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or name a `profile:` in the target",
    )


def _explain_partial(failure: BaseException, asked: Asked) -> SitepubError:
    return ConfigurationError(
        "partial-credentials",
        f"{asked.where}: the AWS credentials are incomplete",
        "an access key needs its secret key: set both, or neither",
    )


def _explain_no_profile(failure: BaseException, asked: Asked) -> SitepubError:
    name = asked.profile or find_group(_IN_BRACKETS, str(failure))
    return ConfigurationError("no-profile", f"there is no AWS profile `{name}`", "`aws configure list-profiles` lists them")


def _explain_sso(failure: BaseException, asked: Asked) -> SitepubError:
    return ConfigurationError(
        "sso-login", f"{asked.where}: the single sign-on session has ended", f"run `aws sso login{asked.profile_option}`"
    )


def _explain_login(failure: BaseException, asked: Asked) -> SitepubError:
    return ConfigurationError("aws-login", f"{asked.where}: the AWS sign-in has ended", f"run `aws login{asked.profile_option}`")


def _explain_missing_library(failure: BaseException, asked: Asked) -> SitepubError:
    return ConfigurationError(
        "missing-library",
        f"{asked.where}: this kind of AWS sign-in needs a library that is not installed",
        "install `botocore[crt]` beside sitepub, or use other credentials",
    )


def _explain_bad_config(failure: BaseException, asked: Asked) -> SitepubError:
    return ConfigurationError(
        "bad-aws-config",
        f"{asked.where}: the AWS configuration can't be used",
        f"look at the profile `{asked.profile or 'default'}` in ~/.aws/config",
    )


def _explain_process(failure: BaseException, asked: Asked) -> SitepubError:
    provider = find_group(_PROVIDER, str(failure))
    if provider == "custom-process":
        return ConfigurationError(
            "credential-process",
            f"{asked.where}: the `credential_process` of the AWS profile failed",
            "run that command by hand to see why",
        )
    return ConfigurationError(
        "no-credentials",
        f"{asked.where}: no credentials from `{provider or 'AWS'}`",
        "look at the profile in ~/.aws/config, or sign in again",
    )


def _explain_missing_file(failure: FileNotFoundError, asked: Asked) -> SitepubError:
    return ConfigurationError(
        "no-token-file",
        f"{asked.where}: the token file `{failure.filename}` is missing",
        "`AWS_WEB_IDENTITY_TOKEN_FILE` names it; in CI, give the job permission to ask for an identity token",
    )


def _explain_parameters(failure: BaseException, asked: Asked) -> SitepubError:
    """Its first line says only that something is wrong, the next one what."""
    head, _, report = str(failure).partition("\n")
    reason = _as_message(report.partition("\n")[0] or head)
    return ConfigurationError("bad-request", f"{asked.where}: {reason}", "look at names and headers")


_CLIENT_FAILURES: Final[Mapping[str, Callable[[BaseException, Asked], SitepubError]]] = {
    "NoCredentialsError": _explain_no_credentials,
    "PartialCredentialsError": _explain_partial,
    "ProfileNotFound": _explain_no_profile,
    "SSOTokenLoadError": _explain_sso,
    "UnauthorizedSSOTokenError": _explain_sso,
    "TokenRetrievalError": _explain_sso,
    "SSOError": _explain_sso,
    "LoginError": _explain_login,
    "LoginTokenLoadError": _explain_login,
    "MissingDependencyException": _explain_missing_library,
    "InvalidConfigError": _explain_bad_config,
    "ConfigParseError": _explain_bad_config,
    "ConfigNotFound": _explain_bad_config,
    "InfiniteLoopConfigError": _explain_bad_config,
    "UnknownCredentialError": _explain_bad_config,
    "RefreshWithMFAUnsupportedError": _explain_bad_config,
    "CredentialRetrievalError": _explain_process,
    "ParamValidationError": _explain_parameters,
}


def first_line(failure: BaseException) -> str:
    """Of what the failure says, as a message: at most 200 characters, lower case, no full stop."""
    lines = str(failure).splitlines()
    return _as_message(lines[0]) if lines else type(failure).__name__


def _as_message(line: str) -> str:
    short = line[:200].strip().rstrip(".")
    return short[:1].lower() + short[1:]
