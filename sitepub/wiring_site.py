"""From a Config to what `up` and `down` work on: clients, the account, the target's state, the blueprint. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from sitepub.aws.inspection import find_account
from sitepub.aws.provision.api import Api
from sitepub.aws.provision.distribution_file import check_distribution_file, read_distribution_file
from sitepub.aws.session import AwsSession
from sitepub.core.edge import ERROR_PAGE, make_edge_rules
from sitepub.core.edge_function import fit_redirects, make_edge_function
from sitepub.core.partitions import GLOBAL_HOME
from sitepub.core.provision.blueprint import Blueprint, check_target, make_blueprint
from sitepub.core.settings import BucketAddress, Config, Target
from sitepub.errors import ConfigurationError
from sitepub.interfaces import Clock, Progress
from sitepub.local.host_files import join_host_files
from sitepub.provisioning_site import Site
from sitepub.wiring import open_target, records_address

_SERVICES: Final = ("s3", "cloudfront", "acm", "route53", "sts")


def open_site(
    config: Config,
    target: Target,
    environment: Mapping[str, str],
    progress: Progress,
    *,
    wait_seconds: float = 3600.0,
    is_removal: bool = False,
) -> Site:
    """Asks AWS whose account it is. `is_removal`: what a distribution should say does not matter. Raises ConfigurationError for a target that can't be set up."""
    store = check_target(target)
    file = None if is_removal else _read_file(target)
    session = AwsSession(profile=target.profile, region=target.region)
    blueprint = _draw_blueprint(config, target, session, file)
    opened = open_target(config, target, environment)
    records = records_address(target)
    return Site(
        blueprint,
        _make_api(target, session, opened.clock),
        opened.releases,
        opened.clock,
        progress,
        wait_seconds=wait_seconds,
        records=opened.records,
        has_own_records=isinstance(records, BucketAddress) and records.bucket == store.bucket,
    )


def _draw_blueprint(config: Config, target: Target, session: AwsSession, file: Mapping[str, Any] | None) -> Blueprint:
    is_compatible = bool(target.endpoint_url) and not target.cdn_endpoint_url
    joined, _ = join_host_files(config, target)  # of the site as it was built last; a publish tells what is wrong with them
    fitting = fit_redirects(make_edge_rules(joined.redirects, url_path=target.url_path, url_style=target.url_style))
    blueprint = make_blueprint(
        target,
        account="" if is_compatible else _find_own_account(target, session),
        region=session.region,
        endpoint_url=session.endpoint("s3"),
        is_compatible=is_compatible,
        function=make_edge_function(fitting.rules),
        left_out=fitting.left_out,
        file=file,
    )
    if file is not None and target.distribution_config is not None and blueprint.has_distribution:
        check_distribution_file(blueprint, file, target.distribution_config.name)
    return replace(blueprint, lacks_error_page=config.source.is_dir() and not (config.source / ERROR_PAGE).is_file())


def _find_own_account(target: Target, session: AwsSession) -> str:
    account = find_account(session, target.cdn_endpoint_url)
    if target.account is not None and account and account != target.account:
        message = f"the credentials are of account `{account}`, not `{target.account}`"
        raise ConfigurationError("wrong-account", message, "use others, or correct `account:` in the target")
    return account


def _make_api(target: Target, session: AwsSession, clock: Clock) -> Api:
    asks_aws = is_aws(target, session)
    return Api(
        lambda service: _connect(session, target, service),
        clock,
        is_aws=asks_aws,
        where="AWS" if asks_aws else target.cdn_endpoint_url or target.endpoint_url or "the endpoint",
        profile=target.profile,
        region=session.region,
    )


def _read_file(target: Target) -> Mapping[str, Any] | None:
    if target.distribution_config is None or target.distribution == "none":
        return None
    if target.distribution is not None:
        message = f"`distribution_config:` is for a distribution that `up` makes, but `{target.name}` names one of its own"
        raise ConfigurationError("bad-distribution-config", message, "take one of the two away")
    return read_distribution_file(target.distribution_config)


def is_aws(target: Target, session: AwsSession) -> bool:
    """AWS itself, which lacks nothing: no endpoint of anybody else is named anywhere."""
    return not target.endpoint_url and not target.cdn_endpoint_url and not any(map(session.endpoint, _SERVICES))


def _connect(session: AwsSession, target: Target, service: str) -> Any:
    if service == "s3":
        return session.client("s3", endpoint_url=target.endpoint_url or session.endpoint("s3"))
    if service == "pricing-plan-manager":
        # worth a question, but not minutes of questions where it can't be reached
        session = AwsSession(profile=target.profile, region=target.region, attempts=2)
    return session.client(service, region=GLOBAL_HOME, endpoint_url=target.cdn_endpoint_url or session.endpoint(service))
