"""MiniStack as a server: CloudFront with a data plane, ACM, Route 53, S3 and IAM's rules. It listens on every interface unless it is told
another one; so it is."""

from __future__ import annotations

import http.client
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sitepub.aws.session import AwsSession
from tests.support.servers import find_free_ports, find_tool, run_server

ACCOUNT = "111122223333"
ROOT = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
"""The account's root user, as this server knows it: no policy binds it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a visitor gets."""

    status: int
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class MiniStack:
    endpoint_url: str
    port: int

    @property
    def environment(self) -> dict[str, str]:
        return dict(ROOT)

    def client(self, service: str) -> Any:
        return _session().client(service, region="us-east-1", endpoint_url=self.endpoint_url)

    def reset(self) -> None:
        """An account that owns nothing."""
        request = urllib.request.Request(f"{self.endpoint_url}/_ministack/reset", method="POST")
        urllib.request.urlopen(request, timeout=30).close()

    def visit(self, domain: str, path: str) -> Answer:
        """Through the distribution of that domain, over TLS that somebody before it has ended."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path, headers={"Host": domain, "X-Forwarded-Proto": "https"})
            answer = connection.getresponse()
            return Answer(
                answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode("utf-8", "replace")
            )
        finally:
            connection.close()

    def everything(self) -> dict[str, list[str]]:
        """What stands in the account, by name; a zone's own records are not counted."""
        cloudfront = self.client("cloudfront")
        route53 = self.client("route53")
        zones = [each["Id"] for each in route53.list_hosted_zones()["HostedZones"]]
        records = [row for zone in zones for row in route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]]
        policies = cloudfront.list_response_headers_policies(Type="custom")["ResponseHeadersPolicyList"].get("Items") or []
        controls = cloudfront.list_origin_access_controls()["OriginAccessControlList"].get("Items") or []
        return {
            "buckets": [each["Name"] for each in self.client("s3").list_buckets()["Buckets"]],
            "distributions": [each["Id"] for each in cloudfront.list_distributions()["DistributionList"].get("Items") or []],
            "access controls": [each["Name"] for each in controls],
            "functions": [each["Name"] for each in cloudfront.list_functions()["FunctionList"].get("Items") or []],
            "headers policies": [each["ResponseHeadersPolicy"]["ResponseHeadersPolicyConfig"]["Name"] for each in policies],
            "certificates": [each["DomainName"] for each in self.client("acm").list_certificates()["CertificateSummaryList"]],
            "records": sorted(f"{each['Name'].rstrip('.')} {each['Type']}" for each in records if each["Type"] not in ("NS", "SOA")),
        }


@cache
def _session() -> AwsSession:
    """It keeps its clients: one of CloudFront's takes longer to make than an answer of the server."""
    return AwsSession(environment=ROOT)


@contextmanager
def start_ministack(folder: Path) -> Iterator[MiniStack]:
    (port,) = find_free_ports(1)
    url = f"http://127.0.0.1:{port}"
    environment = {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        # signatures are checked, and a bucket is not everybody's
        "AUTH": "true",
        "LOG_LEVEL": "WARNING",
        "TMPDIR": str(folder),
    }
    with run_server([str(find_tool("ministack"))], f"{url}/_ministack/ready", folder / "log", environment):
        yield MiniStack(url, port)
