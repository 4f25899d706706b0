"""The nets hold: no network but loopback, no credentials, no configuration of whoever runs the tests."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.nets import NetworkRefused, clear_environment, is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "site.localhost", "", "::1%lo"])
def test_loopback_is_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["192.0.2.1", "169.254.169.254", "0.0.0.0", "example.com", "localhost.example.com", "2001:db8::1", "127.0.0.1.nip.io"]
)
def test_everything_else_is_not(host: str) -> None:
    assert not is_loopback(host)


def test_a_connection_out_is_refused() -> None:
    with socket.socket() as opened, pytest.raises(NetworkRefused, match=r"192\.0\.2\.1"):
        opened.connect(("192.0.2.1", 80))


def test_a_datagram_out_is_refused() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened, pytest.raises(NetworkRefused):
        opened.sendto(b"x", ("192.0.2.1", 53))


def test_a_look_up_is_refused() -> None:
    with pytest.raises(NetworkRefused, match="example"):
        socket.getaddrinfo("example.com", 80)


def test_loopback_is_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
        socket.getaddrinfo("localhost", 80)


def test_other_processes_are_sent_to_a_dead_proxy() -> None:
    script = "import urllib.request; urllib.request.urlopen('http://192.0.2.1/', timeout=5)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "Connection refused" in run.stderr


def test_native_clients_are_sent_to_a_dead_proxy() -> None:
    import obstore
    from obstore.store import HTTPStore

    store = HTTPStore.from_url("http://192.0.2.1/", client_options={"allow_http": True, "timeout": "5s"}, retry_config={"max_retries": 0})
    with pytest.raises(Exception, match=r"(?s)Connection refused"):
        obstore.get(store, "x")


def test_nobody_is_signed_in_to_aws() -> None:
    import boto3

    assert [name for name in os.environ if name.startswith("AWS_")] == [
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_EC2_METADATA_DISABLED",
    ]
    session = boto3.Session()
    assert session.get_credentials() is None
    assert session.available_profiles == []
    assert session.region_name is None


def test_git_knows_one_user_and_nothing_else(home: Path) -> None:
    run = subprocess.run(["git", "config", "--list", "--show-origin"], capture_output=True, text=True, check=True, cwd=home)
    assert "user.email=test@example.com" in run.stdout
    assert {line.split("\t")[0] for line in run.stdout.splitlines()} == {f"file:{home}/gitconfig"}


def test_a_home_is_empty_and_ours(home: Path) -> None:
    assert Path.home() == home
    assert [path.name for path in home.iterdir()] == ["gitconfig"]


@pytest.mark.parametrize("attempt", ["first", "second"])
def test_nothing_stays_in_a_home(home: Path, attempt: str) -> None:
    cache = Path(os.environ["XDG_CACHE_HOME"])
    assert not cache.exists()
    cache.mkdir()


def test_what_was_set_is_taken_away(tmp_path: Path) -> None:
    environment = {
        "AWS_PROFILE": "real",
        "AWS_SESSION_TOKEN": "x",
        "GIT_DIR": "/x",
        "https_proxy": "http://real",
        "SITEPUB_X": "1",
        "PATH": "/bin",
    }
    clear_environment(environment, tmp_path / "home")
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "GIT_DIR", "SITEPUB_X"} & environment.keys()
    assert environment["PATH"] == "/bin"
    assert environment["https_proxy"] == environment["HTTPS_PROXY"] == "http://127.0.0.1:9"


def test_other_processes_reach_loopback() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.handle_request).start()
        script = f"import urllib.request; urllib.request.urlopen('http://127.0.0.1:{server.server_port}/', timeout=5)"
        run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "501" in run.stderr
