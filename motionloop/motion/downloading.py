"""Downloading an open data set: with a checksum, and going on after an interruption.

Archives come by HTTP with a range request for what is missing, are checked against their SHA-256
and unpacked into a folder that appears whole. Repositories come by git, at one revision, folder by
folder, so that an interrupted download goes on with the folders that are missing.
"""

import hashlib
import shutil
import subprocess
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path

from motionloop.motion.catalogue import OpenSet
from motionloop.motion.dataset import new_folder
from motionloop.samples import InputError

BLOCK = 1 << 20  # bytes at once
Progress = Callable[[int, int], None]


def download(open_set: OpenSet, out: Path, address: str = "", progress: Progress | None = None):
    """Fetch a data set into the folder `out`; what is there already is not fetched again.

    Args:
        open_set: what to fetch.
        out: the folder.
        address: of a mirror, instead of the set's own.
        progress: called as `progress(done, total)`, in bytes or in folders; total 0 is unknown.

    Raises:
        InputError: `out` holds something else, the address does not answer, or what comes is not
            what the checksum says.
    """
    address = address or open_set.address
    if open_set.is_git:
        _from_git(open_set, out, address, progress)
    else:
        _from_archive(open_set, out, address, progress)


def _from_archive(open_set: OpenSet, out: Path, address: str, progress: Progress | None) -> None:
    partial = out.with_name(f"{out.name}.zip.partial")
    with new_folder(out) as folder:
        fetch(address, partial, progress)
        found = _sha256(partial)
        if found != open_set.sha256:
            partial.unlink()
            raise InputError(
                f"{address} gave a file with SHA-256 {found}, expected {open_set.sha256}; it was "
                "removed, because it is damaged or another version"
            )
        try:
            with zipfile.ZipFile(partial) as archive:
                archive.extractall(folder)  # leaves out drives and .. of members' names
        except zipfile.BadZipFile as error:
            raise InputError(f"{address} is no zip archive: {error}") from error
    partial.unlink()


def fetch(address: str, partial: Path, progress: Progress | None = None) -> None:
    """Append to the file `partial` what it lacks of the file at `address`.

    A server that cannot send a part sends the whole, and the file begins anew.

    Raises:
        InputError: the address does not answer, or the connection ends early; what has come
            stays, and the same call goes on from it.
    """
    have = partial.stat().st_size if partial.is_file() else 0
    request = urllib.request.Request(address, headers={"User-Agent": "motionloop"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    partial.parent.mkdir(parents=True, exist_ok=True)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            if answer.status != 206:  # not a part: the whole
                have = 0
            total = have + int(answer.headers.get("Content-Length", 0))
            with open(partial, "ab" if have else "wb") as file:
                while block := answer.read(BLOCK):
                    file.write(block)
                    have += len(block)
                    if progress:
                        progress(have, total)
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # nothing is missing
            return
        raise InputError(f"{address} answers {error.code} {error.reason}") from error
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        raise InputError(
            f"{address} cannot be reached ({reason}); {have:,} bytes are kept, and the same "
            "command goes on from them"
        ) from error
    if have < total:
        raise InputError(
            f"the connection to {address} ended after {have:,} of {total:,} bytes; the same "
            "command goes on from there"
        )


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _from_git(open_set: OpenSet, out: Path, address: str, progress: Progress | None) -> None:
    if shutil.which("git") is None:
        raise InputError(f"{open_set.name} lies in a git repository; install git first")
    if out.exists() and any(out.iterdir()) and not (out / ".git").is_dir():
        raise InputError(f"{out} exists and is not empty; choose another --out or remove it")
    out.mkdir(parents=True, exist_ok=True)
    if not (out / ".git").is_dir():
        _git(out, "init", "--quiet")
    _git(out, "config", "remote.origin.url", address)
    # A partial clone: the files of a folder come when the folder is checked out.
    _git(out, "config", "remote.origin.promisor", "true")
    _git(out, "config", "remote.origin.partialclonefilter", "blob:none")
    revision = open_set.revision
    _git(out, "fetch", "--quiet", "--depth=1", "--filter=blob:none", "origin", revision)
    folders = _leaves(out, revision, open_set.folders)
    for done, folder in enumerate(folders):
        if progress:
            progress(done, len(folders))
        _git(out, "checkout", "--quiet", revision, "--", folder)
    if progress:
        progress(len(folders), len(folders))
    # Files that were changed or cut off since are those of the revision again.
    if _git(out, "diff", "--name-only", revision, "--", *folders):
        raise InputError(f"{out} differs from revision {revision}; remove it and start again")


def _leaves(out: Path, revision: str, folders: tuple[str, ...]) -> list[str]:
    """The folders to check out one by one: those below the wanted ones, or these themselves."""
    found = []
    for folder in folders or (".",):
        below = _git(out, "ls-tree", "-d", "--name-only", revision, f"{folder}/").splitlines()
        files = _git(out, "ls-tree", "--name-only", revision, f"{folder}/").splitlines()
        if not files:
            raise InputError(f"revision {revision} has no folder {folder}")
        found += below if len(below) == len(files) else [folder]
    return found


def _git(folder: Path, *arguments: str) -> str:
    """What git prints, in `folder`.

    Raises:
        InputError: git fails; the last line that it says.
    """
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise InputError(f"git {arguments[0]} failed in {folder}: {said}")
    return done.stdout
