"""Which names can be published: as keys, as URLs, and without giving a secret away."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sitepub.core.paths import Checked, check_paths, is_harmless_key, looks_like_secret, show_path
from sitepub.core.patterns import Patterns, compile_patterns

COMPOSED = unicodedata.normalize("NFC", "café.png")
DECOMPOSED = unicodedata.normalize("NFD", "café.png")


def check(*paths: str, folder: bool = False, allow: Patterns | None = None) -> Checked:
    return check_paths(paths, allow=allow or Patterns(), store_is_folder=folder)


def codes(checked: Checked) -> list[str]:
    return [warning.code for warning in checked.warnings]


@pytest.mark.parametrize("folder", [True, False], ids=["folder", "bucket"])
def test_ordinary_names_are_fine(folder: bool) -> None:
    names = (
        "index.html",
        "docs/a-b_c.html",
        "img/größe.png",
        "日本/語.html",
        "a/b.tar.gz",
        ".well-known/security.txt",
        "a,b@c=d&e$!(f).js",
    )
    assert check(*names, folder=folder) == Checked()


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("a\x01b.html", "`a\\x01b.html` holds a control character"),
        ("line\nbreak", "`line\\nbreak` holds a control character"),
        ("next\x85line", "`next\\x85line` holds a control character"),
        ("del\x7f", "`del\\x7f` holds a control character"),
        ("caf\udce9.html", "`caf\\xe9.html` is not UTF-8"),
        ("../up.html", "`../up.html` is no path inside a site"),
        ("a/../b", "`a/../b` is no path inside a site"),
        ("a/..", "`a/..` is no path inside a site"),
        ("./a", "`./a` is no path inside a site"),
        ("/etc/passwd", "`/etc/passwd` is no path inside a site"),
        ("a//b", "`a//b` is no path inside a site"),
        ("a/", "`a/` is no path inside a site"),
        ("", "`` is no path inside a site"),
        (".sitepub/state.json", "`.sitepub/state.json` has the name of sitepub's own records"),
        ("docs/.SitePub/x", "`docs/.SitePub/x` has the name of sitepub's own records"),
    ],
)
@pytest.mark.parametrize("folder", [True, False], ids=["folder", "bucket"])
def test_names_that_no_store_may_hold(path: str, problem: str, folder: bool) -> None:
    assert check("index.html", path, folder=folder).problems == (problem,)


@pytest.mark.parametrize("path", ["a/...", "..a", "a..b", ".sitepub.html", "x.sitepub/y", "...", "a/..b/c"])
def test_names_that_only_resemble_these(path: str) -> None:
    assert check(path).problems == ()


@pytest.mark.parametrize(("letter", "count"), [("a", 1024), ("é", 512), ("日", 341), ("𝄞", 256)])
def test_length_is_counted_in_bytes(letter: str, count: int) -> None:
    assert check(letter * count).problems == ()
    length = len((letter * (count + 1)).encode())
    assert check(letter * (count + 1)).problems == (f"`{letter * 60}…` is {length:,} bytes long, and 1,024 are the most",)


@pytest.mark.parametrize(
    ("first", "second", "how"),
    [
        ("IMG.png", "img.png", "by case"),
        ("Docs/a.html", "docs/a.html", "by case"),
        ("STRASSE.html", "straße.html", "by case"),
        ("ÉTÉ.html", "été.html", "by case"),
        (DECOMPOSED, COMPOSED, "in their Unicode form"),
        (DECOMPOSED.upper(), COMPOSED, "by case"),
    ],
)
def test_names_that_are_one_on_some_disks(first: str, second: str, how: str) -> None:
    said = f"`{first}` and `{second}` differ only {how}"
    assert check(first, second, folder=True) == Checked((said,))
    bucket = check(first, second)
    assert bucket.problems == ()
    assert codes(bucket) == ["colliding-names"]
    assert said in bucket.warnings[0].message


def test_three_names_for_one_are_told_pair_by_pair() -> None:
    problems = check("A", "a", "b", folder=True).problems
    assert problems == ("`A` and `a` differ only by case",)
    assert len(check("AB", "Ab", "ab", folder=True).problems) == 2


def test_a_file_where_another_needs_a_folder() -> None:
    said = ("`docs` is a file, and `docs/a/b.html` needs a folder of that name",)
    assert check("docs", "docs-2", "docs.html", "docs/a/b.html", folder=True) == Checked(said)
    assert check("docs", "docs-2", "docs.html", "docs/a/b.html") == Checked()


def test_a_file_where_another_needs_a_folder_but_for_case() -> None:
    assert check("Docs", "docs/a.html", folder=True).problems == ("`Docs` is a file, and `docs/a.html` needs a folder of that name",)


SECRETS = """
.env .env.production .envrc .ENV config/.env.local server.pem a/PRIVKEY.PEM tls.key tls.key.bak AuthKey_1.p8 cert.p12 cert.pfx site.ppk store.jks
release.keystore passwords.kdbx terraform.tfstate terraform.tfstate.backup id_rsa id_dsa id_ecdsa id_ed25519 id_ed25519_sk id_rsa.bak id_rsa_old
.npmrc .pypirc .netrc _netrc .pgpass .my.cnf .htpasswd .git-credentials .dockercfg .s3cfg .boto wp-config.php .ssh/config .aws/credentials
a/.gnupg/x .kube/config .docker/config.json .git/config sub/.git/HEAD .ssh .git
"""

NO_SECRETS = """
index.html environment.html env env.js a.env.html id_rsa.pub id_rsa.html id_rsa-explained.html id_ed25519.pub pem.html about.pem.html key.js
keys.json monkey.html keynote.html archive.asc keyring.gpg ca.crt ca.cer credentials.json secrets.json docs/credentials/index.html
docs/ssh/config wp-config.php.html .well-known/security.txt .gitignore .github/x docker/config.json htpasswd.html file.bak old notes.old identity.js
"""


@pytest.mark.parametrize("path", SECRETS.split())
def test_names_that_look_like_secrets(path: str) -> None:
    assert looks_like_secret(path)
    assert check("index.html", path).secrets == (path,)


@pytest.mark.parametrize("path", NO_SECRETS.split())
def test_names_that_do_not_look_like_secrets(path: str) -> None:
    assert not looks_like_secret(path)


def test_what_is_allowed_is_no_secret() -> None:
    assert check("a/server.pem", "b/server.pem", allow=compile_patterns(["/a/*.pem"])).secrets == ("b/server.pem",)


def test_a_key_file_may_be_a_presentation_or_public() -> None:
    assert is_harmless_key("talks/2026.key", b"PK\x03\x04\x14\x00")
    assert is_harmless_key("jenkins.io.KEY", b"-----BEGIN PGP PUBLIC KEY BLOCK-----")
    assert not is_harmless_key("tls.key", b"-----BEGIN PRIVATE KEY-----")
    assert not is_harmless_key("tls.key", b"-----BEGIN PGP PRIVATE KEY BLOCK-----")
    assert not is_harmless_key("tls.key", b"\x30\x82")
    assert not is_harmless_key("tls.pem", b"-----BEGIN CERTIFICATE-----")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("a+b.png", "plus-in-name"),
        ("a\\b.png", "backslash-in-name"),
        ("my file.png", "inexact-invalidation"),
        ("~user.html", "inexact-invalidation"),
        ("it's.html", "inexact-invalidation"),
        ('"q".html', "inexact-invalidation"),
        ("a*.html", "inexact-invalidation"),
        ("a?.html", "inexact-invalidation"),
    ],
)
def test_names_that_work_in_a_bucket_with_care(path: str, code: str) -> None:
    checked = check("index.html", path)
    assert checked.problems == ()
    assert codes(checked) == [code]
    assert checked.warnings[0].message.startswith(f"`{path}`: ")
    assert check("index.html", path, folder=True) == Checked()


@pytest.mark.parametrize("path", ["a%20b.html", "a#b.html", "a[1].html", "a{b}.html", "a|b^c.html", "<a>.html"])
def test_names_that_are_only_odd(path: str) -> None:
    assert check(path) == Checked()


def test_a_warning_names_ten_and_counts_the_rest() -> None:
    (warning,) = check(*(f"a {number:04}.html" for number in range(1234))).warnings
    assert warning.message.count("`") == 20
    assert " and 1,224 more: " in warning.message


def test_all_that_is_wrong_is_told_at_once() -> None:
    checked = check("A", "a", "b\x02", "c/../d", "x.pem", folder=True)
    assert len(checked.problems) == 3
    assert checked.secrets == ("x.pem",)


def test_paths_are_shown_as_they_can_be_printed() -> None:
    assert show_path("größe 日.html") == "größe 日.html"
    assert show_path("a\x1b[31m\u202e\udcff") == "a\\x1b[31m\\u202e\\xff"


@given(st.lists(st.text(st.characters(blacklist_categories=()), max_size=12), max_size=8), st.booleans())
@example(["\ud800", "\udc80"], False)
def test_every_name_gets_an_answer_that_can_be_printed(paths: list[str], folder: bool) -> None:
    checked = check(*paths, folder=folder)
    for said in (*checked.problems, *(warning.message for warning in checked.warnings)):
        said.encode()
        assert "\n" not in said


@given(st.lists(st.text("aA.é/", max_size=5), max_size=8, unique=True))
def test_what_a_folder_accepts_it_can_hold_whatever_its_disk_ignores(paths: list[str]) -> None:
    if check(*paths, folder=True).problems:
        return
    on_disk: set[str] = set()
    folders: set[str] = set()
    for path in paths:
        name = unicodedata.normalize("NFC", path).casefold()
        assert name not in on_disk
        on_disk.add(name)
        folders.update(name[:index] for index, letter in enumerate(name) if letter == "/")
    assert not on_disk & folders
