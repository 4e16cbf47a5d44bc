"""Where a sweep's results live: a local folder, or a prefix in object storage through pyarrow's file systems.

Object storage cannot append and has no atomic rename, so `LocalStore` and `ObjectStore` differ in `append` alone: the
one adds a line to a file, the other writes one small object a line.
"""

import contextlib
import glob
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Protocol

OBJECT_SUFFIX: Final = ".d"
"""Lines of FILE that were appended to object storage are objects in the folder FILE.d, read in the order of their names."""
_LINE: Final = re.compile(r"^(\d{8,})(?:-|$)")
"""Number of a line's object. Its writer follows, but for what drivers of before wrote, which read both."""
WITHOUT_FOLDERS: Final = ("s3", "gcs")
"""File systems of pyarrow that have no folders: making one would be another request, for an empty object."""
READERS: Final = 16
"""Objects that are read at a time: each takes a round trip."""
PIECE_BYTES: Final = 4 << 20
"""Of a file on its way to or from object storage, what is in memory at a time; it may be that of a trial with a limit."""


class Store(Protocol):
    """The few operations that results need; paths are relative to the sweep's folder."""

    def write(self, path: str, content: bytes) -> None:
        """Write a file whole: a reader sees the old content or the new one."""

    def read(self, path: str) -> bytes | None:
        """Content of a file, None if there is none."""

    def append(self, path: str, line: bytes, *, durable: bool = True) -> None:
        """Add a line (without newline); durable lines survive a crash of the machine, all survive one of the process."""

    def lines(self, path: str) -> Iterator[bytes]:
        """All lines that were appended, oldest first; the last one may be torn by a crash."""

    def upload(self, folder: Path, path: str) -> None:
        """Copy a local folder's content, durably."""

    def download(self, path: str, folder: Path) -> None:
        """Copy a folder's content to a local folder."""

    def names(self, path: str) -> list[str]:
        """Names in a folder, sorted; empty if there is none."""

    def delete(self, path: str) -> None:
        """Delete a file or a folder if it is there."""


class LocalStore:
    """Results in a local folder (also one that pods mount)."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, path: str, content: bytes) -> None:
        """Write beside, flush to disk, rename."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)

    def read(self, path: str) -> bytes | None:
        """Content of a file, None if there is none."""
        try:
            return (self.root / path).read_bytes()
        except FileNotFoundError:
            return None

    def append(self, path: str, line: bytes, *, durable: bool = True) -> None:
        """Append in one write and flush to disk; a line torn by a crash before is closed off first."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("ab+") as file:
            torn = False
            if file.tell():
                file.seek(-1, os.SEEK_END)
                torn = file.read(1) != b"\n"
            file.write((b"\n" if torn else b"") + line + b"\n")
            file.flush()
            if durable:
                os.fdatasync(file.fileno())

    def lines(self, path: str) -> Iterator[bytes]:
        """Lines of the file."""
        content = self.read(path) or b""
        return (line for line in content.split(b"\n") if line)

    def upload(self, folder: Path, path: str) -> None:
        """Copy to a folder beside, flush to disk, rename: what is written after this never outlives it."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
        shutil.copytree(folder, beside)
        for copied in (*beside.rglob("*"), beside):
            _flush(copied)
        shutil.rmtree(target, ignore_errors=True)
        beside.rename(target)
        _flush(target.parent)

    def download(self, path: str, folder: Path) -> None:
        """Copy a folder's content to a local folder."""
        shutil.copytree(self.root / path, folder, dirs_exist_ok=True)

    def names(self, path: str) -> list[str]:
        """Names in a folder; what is being written is left out."""
        try:
            return sorted(entry.name for entry in (self.root / path).iterdir() if not entry.name.startswith("."))
        except FileNotFoundError:
            return []

    def delete(self, path: str) -> None:
        """Delete a file or a folder if it is there, and what a writer that died has left of it."""
        target = self.root / path
        for found in (target, *target.parent.glob(f".{glob.escape(target.name)}.*")):
            if found.is_dir():
                shutil.rmtree(found, ignore_errors=True)
            else:
                found.unlink(missing_ok=True)


class ObjectStore:
    """Results under a prefix of a pyarrow file system.

    A file is appended to by one ObjectStore at a time; where another one does so too, as a driver that is being replaced,
    none takes a line from the other, and their lines are in between each other's.
    """

    def __init__(self, filesystem: Any, prefix: str) -> None:
        self._files = filesystem
        self._prefix = prefix.rstrip("/")
        self._writer = uuid.uuid4().hex[:8]
        self._appended: dict[str, int] = {}

    def _path(self, path: str) -> str:
        return f"{self._prefix}/{path}"

    def write(self, path: str, content: bytes) -> None:
        """Write an object; object storage shows it whole or not at all."""
        with self._output(path) as target:
            target.write(content)

    def _output(self, path: str) -> Any:
        full = self._path(path)
        if self._files.type_name not in WITHOUT_FOLDERS:
            self._files.create_dir(full.rsplit("/", 1)[0], recursive=True)
        return self._files.open_output_stream(full)

    def read(self, path: str) -> bytes | None:
        """Content of an object, None if there is none."""
        try:
            with self._files.open_input_stream(self._path(path)) as file:
                return bytes(file.readall())
        except FileNotFoundError:
            return None

    def append(self, path: str, line: bytes, *, durable: bool = True) -> None:  # noqa: ARG002 - objects always are
        """Write the line as an object of its own, numbered after the last one there, which is looked up the first time."""
        number = self._appended.get(path)
        if number is None:
            lines = (_LINE.match(name) for name in self.names(path + OBJECT_SUFFIX))
            number = max((int(line[1]) for line in lines if line), default=-1) + 1
        self.write(f"{path}{OBJECT_SUFFIX}/{number:08d}-{self._writer}", line)
        self._appended[path] = number + 1

    def lines(self, path: str) -> Iterator[bytes]:
        """Every line's object in order."""
        folder = path + OBJECT_SUFFIX
        with ThreadPoolExecutor(READERS) as readers:
            contents = readers.map(lambda name: self.read(f"{folder}/{name}"), self.names(folder))
            return iter([content for content in contents if content is not None])

    def upload(self, folder: Path, path: str) -> None:
        """Copy every file, in pieces."""
        for file in sorted(entry for entry in folder.rglob("*") if entry.is_file()):
            with file.open("rb") as source, self._output(f"{path}/{file.relative_to(folder).as_posix()}") as target:
                while piece := source.read(PIECE_BYTES):
                    target.write(piece)
                    target.flush()  # pyarrow sends in the background, and would hold all that is not sent yet

    def download(self, path: str, folder: Path) -> None:
        """Copy every object below the prefix, in pieces: each is a request. An empty folder is not told from none."""
        from pyarrow import fs

        base = self._path(path)
        folder.mkdir(parents=True, exist_ok=True)
        for info in self._files.get_file_info(fs.FileSelector(base, recursive=True, allow_not_found=True)):
            if info.type == fs.FileType.File:
                target = folder / info.path.removeprefix(base).lstrip("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                with self._files.open_input_stream(info.path) as source, target.open("wb") as file:
                    shutil.copyfileobj(source, file, PIECE_BYTES)

    def names(self, path: str) -> list[str]:
        """Names below a prefix."""
        from pyarrow import fs

        selector = fs.FileSelector(self._path(path), allow_not_found=True)
        return sorted(info.base_name for info in self._files.get_file_info(selector))

    def delete(self, path: str) -> None:
        """Delete an object or everything below a prefix."""
        from pyarrow import fs

        full = self._path(path)
        info = self._files.get_file_info(full)
        with contextlib.suppress(FileNotFoundError):  # somebody else was faster
            if info.type == fs.FileType.Directory:
                self._files.delete_dir(full)
            elif info.type == fs.FileType.File:
                self._files.delete_file(full)


def _flush(path: Path) -> None:
    """Flush a file, or the names in a folder, to disk; OSError if that fails."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_store(location: str) -> Store:
    """The store at a local path, a file:// URI or an object storage URI; pyarrow is loaded for the last one only."""
    if location.startswith("file://"):
        location = location.removeprefix("file://")
    if "://" not in location:
        return LocalStore(Path(location))
    from pyarrow import fs

    if "AWS_ACCESS_KEY_ID" in os.environ:
        # Outside AWS, the client would wait four seconds for a service that has other keys.
        os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
    filesystem, prefix = fs.FileSystem.from_uri(location)
    return ObjectStore(filesystem, prefix)
