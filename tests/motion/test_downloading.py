"""Downloads against a server and a repository of this test: checksum, resume, licence, damage."""

import hashlib
import io
import subprocess
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from motionloop.motion.catalogue import OPEN_SETS, OpenSet
from motionloop.motion.downloading import download
from motionloop.samples import InputError


class _Server(ThreadingHTTPServer):
    """Serves one file; can send parts, break off, and remembers what was asked for."""

    def __init__(self, content: bytes, parts: bool = True, break_after: int = 0):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content, self.parts, self.break_after = content, parts, break_after
        self.ranges: list[str | None] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/set.zip"


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self):
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.server.parts else 0
        if start >= len(self.server.content):
            self.send_error(416)
            return
        content = self.server.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        cut, self.server.break_after = self.server.break_after, 0
        self.wfile.write(content[:cut] if cut else content)

    def log_message(self, format, *args):
        pass


def _archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("set/walk.bvh", np.random.default_rng(0).bytes(300_000))
        archive.writestr("../../escaped.txt", "out of the folder")
    return buffer.getvalue()


def _set(content: bytes) -> OpenSet:
    digest = hashlib.sha256(content).hexdigest()
    return OpenSet("made", "made here", "http://nowhere", "CC0", "here", sha256=digest)


@pytest.fixture
def serve():
    servers = []

    def start(*args, **kwargs) -> _Server:
        servers.append(_Server(*args, **kwargs))
        return servers[-1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_an_archive_is_checked_unpacked_and_its_remains_are_removed(tmp_path, serve):
    content = _archive()
    seen = []
    server = serve(content)
    download(_set(content), tmp_path / "a" / "made", server.address, lambda *at: seen.append(at))
    assert (tmp_path / "a" / "made" / "set" / "walk.bvh").stat().st_size == 300_000
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["made"]
    assert not list(tmp_path.glob("escaped.txt"))
    assert seen[-1] == (len(content), len(content))


@pytest.mark.parametrize("parts", [True, False])
def test_a_broken_connection_is_named_and_the_same_call_goes_on(tmp_path, serve, parts):
    content = _archive()
    server = serve(content, parts=parts, break_after=100_000)
    with pytest.raises(InputError, match=r"100,000 of .* same command"):
        download(_set(content), tmp_path / "made", server.address)
    assert not (tmp_path / "made").exists()
    download(_set(content), tmp_path / "made", server.address)
    assert server.ranges == [None, "bytes=100000-"]
    assert (tmp_path / "made" / "set" / "walk.bvh").is_file()


def test_a_complete_file_that_was_not_yet_unpacked_is_not_fetched_again(tmp_path, serve):
    content = _archive()
    (tmp_path / "made.zip.partial").write_bytes(content)
    download(_set(content), tmp_path / "made", serve(content).address)
    assert (tmp_path / "made" / "set" / "walk.bvh").is_file()


def test_what_the_checksum_does_not_know_is_refused_and_removed(tmp_path, serve):
    server = serve(b"x" * 5000)
    with pytest.raises(InputError, match="SHA-256"):
        download(_set(_archive()), tmp_path / "made", server.address)
    assert list(tmp_path.iterdir()) == []


def test_a_full_folder_and_a_dead_address_are_named(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="not empty"):
        download(_set(b""), tmp_path / "full", "http://127.0.0.1:9/x.zip")
    with pytest.raises(InputError, match="cannot be reached"):
        download(_set(b""), tmp_path / "made", "http://127.0.0.1:9/x.zip")


def _git(folder, *arguments) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@t")
    done = subprocess.run(
        ["git", "-C", folder, *identity, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path):
    """A repository whose folder data has three folders of motion; and its first revision."""
    home = tmp_path / "home"
    for n in range(3):
        (home / "data" / f"{n:03d}").mkdir(parents=True)
        (home / "data" / f"{n:03d}" / "a b.bvh").write_text(f"motion {n}")
    (home / "movie.gif").write_text("not wanted")
    _git(tmp_path, "init", "--quiet", str(home))
    for setting in ("allowFilter", "allowAnySHA1InWant"):
        _git(home, "config", f"uploadpack.{setting}", "true")
    _git(home, "add", ".")
    _git(home, "commit", "--quiet", "-m", "first")
    first = _git(home, "rev-parse", "HEAD")
    (home / "data" / "000" / "a b.bvh").write_text("changed later")
    _git(home, "commit", "--quiet", "-am", "second")
    return home, first


def test_a_repository_comes_at_its_revision_and_goes_on_after_an_interruption(tmp_path, repository):
    home, revision = repository
    wanted = OpenSet("made", "", f"file://{home}", "CC0", "", revision=revision, folders=("data",))
    out = tmp_path / "out"

    def interrupt(done, total):
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(wanted, out, progress=interrupt)
    assert len(list(out.glob("data/*"))) == 1
    download(wanted, out)
    found = sorted(path.read_text() for path in out.glob("data/*/*.bvh"))
    assert found == ["motion 0", "motion 1", "motion 2"]
    assert not (out / "movie.gif").exists()
    (out / "data" / "001" / "a b.bvh").write_text("cut o")
    download(wanted, out)
    assert (out / "data" / "001" / "a b.bvh").read_text() == "motion 1"


def test_a_revision_or_folder_that_is_not_there_is_named(tmp_path, repository):
    home, revision = repository
    missing = OpenSet("made", "", f"file://{home}", "", "", revision="0" * 40, folders=("data",))
    with pytest.raises(InputError, match="git fetch failed"):
        download(missing, tmp_path / "out")
    elsewhere = OpenSet("made", "", f"file://{home}", "", "", revision=revision, folders=("dat",))
    with pytest.raises(InputError, match="no folder dat"):
        download(elsewhere, tmp_path / "other")


def test_every_open_set_has_licence_terms_and_a_checksum():
    for name, one in OPEN_SETS.items():
        assert name == one.name
        assert one.licence
        assert one.terms.startswith("https://")
        assert one.address.startswith("https://")
        assert len(one.revision) == 40 if one.is_git else len(one.sha256) == 64
