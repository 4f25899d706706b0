"""Proxies in front of SeaweedFS and moto that share one count of requests, and targets behind them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sitepub.aws.session import AwsSession
from sitepub.config import load_config
from tests.commands.story import Story, hold_bucket
from tests.fire.ground import Ground
from tests.fire.sources import Visitor
from tests.support.fault_proxy import Script, run_proxy
from tests.support.forks import ForkServer
from tests.support.servers import ENVIRONMENT, S3Server

TALLIED = "fire"


@pytest.fixture(scope="session")
def script() -> Script:
    return Script()


@pytest.fixture(scope="session")
def proxies(seaweedfs: S3Server, moto_server: S3Server, script: Script) -> Iterator[tuple[str, str]]:
    with run_proxy(seaweedfs.endpoint_url, script) as store, run_proxy(moto_server.endpoint_url, script) as cdn:
        yield store.endpoint_url, cdn.endpoint_url


@pytest.fixture
def make_distribution(moto_server: S3Server) -> Iterator[Callable[[], str]]:
    """Of an account that has no other: the month's paths are the whole account's, and each distribution of it is asked."""
    client = moto_server.client("cloudfront")
    made: list[str] = []

    def forget() -> None:
        while made:
            name = made.pop()
            client.delete_distribution(Id=name, IfMatch=client.get_distribution(Id=name)["ETag"])

    def make() -> str:
        forget()
        made.append(str(client.create_distribution(DistributionConfig=CONFIG)["Distribution"]["Id"]))
        return made[0]

    yield make
    forget()


@pytest.fixture
def distribution_id(make_distribution: Callable[[], str]) -> str:
    return make_distribution()


CONFIG: Any = {
    "CallerReference": "fire",
    "Comment": "",
    "Enabled": True,
    "Origins": {"Quantity": 1, "Items": [{"Id": "o", "DomainName": "b.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}]},
    "DefaultCacheBehavior": {
        "TargetOriginId": "o",
        "ViewerProtocolPolicy": "allow-all",
        "MinTTL": 0,
        "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
    },
}


@pytest.fixture
def break_ground(
    seaweedfs: S3Server,
    moto_server: S3Server,
    proxies: tuple[str, str],
    make_distribution: Callable[[], str],
    script: Script,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    home: Path,
) -> Callable[[], Ground]:
    """Makes fresh targets, one for each crash."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    # a distribution that does not answer is waited for in each of hundreds of runs
    monkeypatch.setattr("sitepub.aws.cloudfront._LOOKING_SECONDS", 3)
    monkeypatch.setattr("sitepub.aws.quota._SECONDS", 3)
    sessions: dict[tuple[int, float], AwsSession] = {}
    numbers = itertools.count()

    def session(attempts: int, read_seconds: float) -> AwsSession:
        made = AwsSession(environment=ENVIRONMENT, attempts=attempts, read_seconds=read_seconds)
        return sessions.setdefault((attempts, read_seconds), made)

    def make() -> Ground:
        address = seaweedfs.make_address()
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        distribution_id = make_distribution()
        text = "source: public\ntargets:\n"
        for name, (store, cdn) in {"harmed": proxies, "direct": (seaweedfs.endpoint_url, moto_server.endpoint_url)}.items():
            text += f"  {name}:\n    store: s3://{address.bucket}/{address.prefix}\n    endpoint_url: {store}\n"
            text += f"    cdn_endpoint_url: {cdn}\n    distribution: {distribution_id}\n"
        (folder / "sitepub.yaml").write_text(text)
        targets = load_config(folder / "sitepub.yaml", ENVIRONMENT).targets
        return Ground(targets["harmed"], targets["direct"], session, script, text, folder)

    return make


@pytest.fixture
def visitor(story: Story, seaweedfs: S3Server) -> Visitor:
    bucket, _, prefix = story.target.split()[1].removeprefix("s3://").partition("/")
    return Visitor(seaweedfs.client(), bucket, f"{prefix}/")


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Callable[[str, int], None]:
    """Counts what was tried; the totals are told at the end of the run."""

    def count(what: str, number: int = 1) -> None:
        request.node.user_properties.append((TALLIED, (what, number)))

    return count


def pytest_terminal_summary(terminalreporter: Any) -> None:
    totals: dict[str, int] = {}
    for report in (report for reports in terminalreporter.stats.values() for report in reports):
        if getattr(report, "when", "") == "call":
            for name, value in report.user_properties:
                if name == TALLIED:
                    totals[value[0]] = totals.get(value[0], 0) + value[1]
    for what, number in sorted(totals.items()):
        terminalreporter.write_line(f"{what}: {number}")


@pytest.fixture
def story(
    seaweedfs: S3Server,
    moto_server: S3Server,
    proxies: tuple[str, str],
    script: Script,
    distribution_id: str,
    tmp_path: Path,
    forks: ForkServer,
) -> Story:
    """A target for real processes, whose every request goes through the proxies."""
    address = seaweedfs.make_address()
    store, cdn = proxies
    script.begin()
    return Story(
        tmp_path,
        target=f"store: s3://{address.bucket}/{address.prefix}\nendpoint_url: {store}\ncdn_endpoint_url: {cdn}\ndistribution: {distribution_id}",
        environment=ENVIRONMENT,
        held=hold_bucket(seaweedfs.client(), address.bucket, f"{address.prefix}/"),
        forks=forks,
    )
