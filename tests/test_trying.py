"""A bucket without a state: what it is, is found out while the site is built, where that can do no harm."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from sitepub import preparing
from sitepub.errors import RefusedError
from sitepub.library import Silence, Where, publish, publish_at
from sitepub.releases import Snapshot
from sitepub.request import read_request
from sitepub.trying import Trial
from sitepub.wiring import look_at_target, open_target
from tests.support.fault_proxy import FaultProxy, Script, Seen, run_proxy
from tests.support.servers import S3Server

BROKEN = "<link rel=stylesheet href=nowhere.css>"
WHOLE = "<p>whole"


@pytest.fixture
def proxy(seaweedfs: S3Server) -> Iterator[FaultProxy]:
    with run_proxy(seaweedfs.endpoint_url, Script()) as proxy:
        yield proxy


@pytest.fixture
def bucket(seaweedfs: S3Server) -> str:
    return seaweedfs.make_bucket()


@pytest.fixture
def environment(tmp_path: Path, seaweedfs: S3Server, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    for name, value in {**seaweedfs.environment, "SITEPUB_CACHE": str(tmp_path / "cache")}.items():
        monkeypatch.setenv(name, value)
    return os.environ


def make_site(folder: Path, bucket: str, proxy: FaultProxy, text: str) -> None:
    (folder / "public").mkdir()
    (folder / "public/index.html").write_text(text)
    store = f"{{store: 's3://{bucket}', endpoint_url: '{proxy.endpoint_url}'}}"
    (folder / "sitepub.yaml").write_text(f"source: public\nfingerprint: {{missing_references: error}}\ntargets: {{there: {store}}}\n")


def writes(proxy: FaultProxy) -> list[Seen]:
    return [seen for seen in proxy.script.seen if seen.is_write]


def keys(server: S3Server, bucket: str) -> list[str]:
    return [found["Key"] for found in server.client().list_objects_v2(Bucket=bucket).get("Contents", ())]


def test_a_bare_bucket_is_tried_beside_the_build_and_left_bare_where_that_fails(
    tmp_path: Path, proxy: FaultProxy, bucket: str, environment: Mapping[str, str], seaweedfs: S3Server
) -> None:
    make_site(tmp_path, bucket, proxy, BROKEN)
    with pytest.raises(RefusedError, match=r"nowhere\.css"):
        publish(tmp_path, environment=environment)
    assert writes(proxy)
    assert all("/.sitepub/probe/" in seen.path for seen in writes(proxy))
    assert keys(seaweedfs, bucket) == []


def test_it_is_tried_once_and_listed_once(tmp_path: Path, proxy: FaultProxy, bucket: str, environment: Mapping[str, str]) -> None:
    make_site(tmp_path, bucket, proxy, WHOLE)
    account = publish(tmp_path, environment=environment)
    assert account.summary.new == 1
    probes = [seen for seen in proxy.script.seen if "/.sitepub/probe/" in seen.path]
    assert len({seen.path for seen in probes}) == 1
    assert [seen.method for seen in proxy.script.seen if "list-type" in seen.path] == ["GET"]
    # but for what visitors are asked as
    assert account.requests.store == len(proxy.script.seen) - sum(seen.method == "GET" for seen in probes)


def test_a_bucket_that_holds_something_is_written_to_only_once_it_is_known_to_be_nobody_elses(
    tmp_path: Path, proxy: FaultProxy, bucket: str, environment: Mapping[str, str], seaweedfs: S3Server
) -> None:
    make_site(tmp_path, bucket, proxy, WHOLE)
    seaweedfs.client().put_object(Bucket=bucket, Key="index.html", Body=b"somebody else's")
    with pytest.raises(RefusedError, match="already holds other content"):
        publish(tmp_path, environment=environment)
    assert writes(proxy) == []
    seaweedfs.client().put_object(Bucket=bucket, Key="other.html", Body=b"somebody else's")
    seaweedfs.client().delete_object(Bucket=bucket, Key="index.html")
    assert publish(tmp_path, environment=environment).summary.new == 1
    assert sorted(key for key in keys(seaweedfs, bucket) if not key.startswith(".sitepub/")) == ["index.html", "other.html"]


def test_a_preview_of_a_publish_tries_nothing(tmp_path: Path, proxy: FaultProxy, bucket: str, environment: Mapping[str, str]) -> None:
    make_site(tmp_path, bucket, proxy, WHOLE)
    assert publish_at(Where(tmp_path, None, None, environment), Silence(), dry_run=True).summary.new == 1
    assert proxy.script.seen
    assert writes(proxy) == []


def test_processes_are_there_before_anything_is_tried(
    tmp_path: Path, proxy: FaultProxy, bucket: str, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is forked while another thread holds a lock may wait for it for ever."""
    make_site(tmp_path, bucket, proxy, WHOLE)
    monkeypatch.setattr(preparing, "PARALLEL_ABOVE", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    request = read_request(tmp_path, None, None, environment)
    found: list[int] = []

    def count(snapshot: Snapshot) -> None:
        found.append(len(multiprocessing.active_children()))

    preparing.prepare(request, look_at_target(request.config, request.target, environment), Silence(), try_target=count)
    assert found == [2]


def test_a_cluster_that_nobody_needs_is_not_asked_for(
    tmp_path: Path, proxy: FaultProxy, bucket: str, environment: Mapping[str, str]
) -> None:
    """Of a small site a first publish is one batch, which is done here."""
    make_site(tmp_path, bucket, proxy, WHOLE)
    with (tmp_path / "sitepub.yaml").open("a") as file:
        file.write("executor: dask://127.0.0.1:1\n")
    assert publish(tmp_path, environment=environment).summary.new == 1


def test_a_run_that_fails_meanwhile_waits_until_nothing_of_the_trial_is_left(
    tmp_path: Path, proxy: FaultProxy, bucket: str, environment: Mapping[str, str]
) -> None:
    make_site(tmp_path, bucket, proxy, BROKEN)
    request = read_request(tmp_path, None, None, environment)
    opened = open_target(request.config, request.target, environment)
    trials: list[Trial] = []

    def begin(snapshot: Snapshot) -> Trial:
        trials.append(Trial(replace(opened, try_records=wait), snapshot))
        return trials[0]

    def wait() -> bool:
        time.sleep(0.5)
        waited.append(True)
        return True

    waited: list[bool] = []
    with pytest.raises(RefusedError, match=r"nowhere\.css"):
        preparing.prepare(request, opened.sight, Silence(), try_target=begin)
    assert waited == [True]
