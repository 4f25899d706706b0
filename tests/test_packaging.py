"""What is handed out: a wheel that works in an empty environment, and a source archive that holds what it should."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source archive, made by the build backend that pyproject.toml names."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("built")
    make = f"from hatchling import build as b; b.build_wheel({str(folder)!r}); b.build_sdist({str(folder)!r})"
    subprocess.run([sys.executable, "-c", make], cwd=REPOSITORY, check=True, capture_output=True)
    return folder


def tracked(*folders: str) -> set[str]:
    done = subprocess.run(["git", "ls-files", *folders], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode or not done.stdout:
        pytest.skip("not a git checkout")
    return {name for name in done.stdout.splitlines() if (REPOSITORY / name).exists()}


def test_the_wheel_holds_the_package_and_nothing_else(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert "sitepub/py.typed" in names
    assert {name.split("/")[0] for name in names} == {"sitepub"}
    assert tracked("sitepub") <= names
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]


def test_the_source_archive_holds_all_that_is_needed_to_test_and_build_it(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    folders = ("sitepub", "tests", "docs", "examples", "benchmarks")
    wanted = tracked(*folders, "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE", "sitepub.yaml.example", "Makefile")
    assert wanted | {"pyproject.toml"} <= names
    roots = {name.split("/")[0] for name in wanted} | {"pyproject.toml", "PKG-INFO", ".gitignore"}
    assert {name.split("/")[0] for name in names} <= roots
    assert not [
        name
        for name in names
        if "__pycache__" in name or name.startswith(("tests/.sites", "examples/site/_published", "docs/_site", "docs/_published"))
    ]


PYTHONS = ("3.11", "3.12", "3.13", "3.14")
"""All that pyproject.toml allows and that anybody could have."""


def find_python(version: str) -> str | None:
    """An interpreter that runs: one on the PATH, or one of pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    named = [str(path) for path in sorted(pyenv.glob(f"{version}.*/bin/python"), reverse=True)] + [f"python{version}"]
    for name in named:
        with suppress(OSError):
            if subprocess.run([name, "-c", "import ensurepip, venv"], capture_output=True, check=False).returncode == 0:
                return name
    return None


@pytest.mark.slow
@pytest.mark.parametrize("version", PYTHONS)
def test_the_wheel_publishes_in_an_empty_environment(version: str, built: Path, tmp_path: Path) -> None:
    """With its declared dependencies and nothing else; pip may need a package index for them."""
    python = find_python(version) or pytest.skip(f"Python {version} is not installed")
    (wheel,) = built.glob("*.whl")
    subprocess.run([python, "-m", "venv", tmp_path / "venv"], check=True)
    command = tmp_path / "venv/bin/sitepub"
    install = [tmp_path / "venv/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel]
    done = subprocess.run(install, capture_output=True, text=True, check=False, env=real_environment())
    if done.returncode and not command.exists():
        pytest.skip("the dependencies can't be installed here")
    assert subprocess.run([command, "--version"], capture_output=True, text=True, check=True).stdout == "sitepub, version 0.1.0\n"
    assert "sitepub init" in subprocess.run([command], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    schema = subprocess.run([command, "schema"], capture_output=True, text=True, check=True).stdout
    assert schema == (REPOSITORY / "sitepub/sitepub.schema.json").read_text("utf-8")
    (tmp_path / "sitepub.yaml").write_text(f"source: {REPOSITORY}/examples/site/public\ntargets: {{there: {{store: 'file:out'}}}}\n")
    strict = {**os.environ, "PYTHONWARNINGS": "error::DeprecationWarning:sitepub"}
    published = subprocess.run([command, "publish"], cwd=tmp_path, capture_output=True, text=True, check=False, env=strict)
    assert published.returncode == 0, published.stderr
    assert (tmp_path / "out/index.html").is_file()
    listed = subprocess.run([tmp_path / "venv/bin/python", "-m", "pip", "check"], capture_output=True, text=True, check=False)
    assert listed.returncode == 0, listed.stdout


def real_environment() -> dict[str, str]:
    """Without the net that keeps tests from other machines: a package index is one."""
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
