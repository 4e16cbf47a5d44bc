"""A small OpenML-compatible server for tests: the real `openml` client downloads real rows without the internet.

`python tests/support/openml_server.py --host H --port P [--data DIR]` serves until it is ended; `serve()` does so for a
test. Data sets: 37 diabetes (both formats, as on OpenML), 554 mnist_784, 44972 red_wine and 44975 wave_energy (Parquet).
Without the folder of real rows a generated set of the same shape is served, and standard error says so.
"""

import argparse
import hashlib
import io
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.sax.saxutils import escape

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

REAL_DATA = Path("/work/shared/data")
API = "/api/v1/xml/data"
NAMESPACE = 'xmlns:oml="http://openml.org/openml"'


@dataclass(frozen=True)
class Shape:
    """What a data set looks like: enough to make up a stand-in."""

    id: int
    name: str
    file: str
    target: str
    rows: int
    features: int
    classes: int
    prefix: str
    arff: bool = False


SHAPES = (
    Shape(37, "diabetes", "diabetes.parquet", "class", 768, 8, 2, "a", arff=True),
    Shape(554, "mnist_784", "mnist_784.parquet", "class", 70000, 784, 10, "pixel"),
    Shape(44972, "red_wine", "wine_quality_red.parquet", "quality", 1599, 11, 0, "x"),
    # energy_1 to energy_16, which the thesis' manifest drops, and 32 that it learns from.
    Shape(44975, "wave_energy", "wave_energy.parquet", "energy_total", 72000, 48, 0, "energy_"),
)


class Hosted:
    """One data set and the bytes of its files, read or made at the first request."""

    def __init__(self, shape: Shape, folder: Path) -> None:
        self.shape = shape
        self._folder = folder
        self._lock = threading.Lock()
        self._files: dict[str, bytes] = {}

    def file(self, suffix: str) -> bytes:
        """Bytes of the .parquet or .arff file."""
        with self._lock:
            if suffix not in self._files:
                self._files[suffix] = self._read(suffix)
            return self._files[suffix]

    def _read(self, suffix: str) -> bytes:
        path = (self._folder / self.shape.file).with_suffix(suffix)
        if path.is_file():
            return path.read_bytes()
        print(
            f"OPENML STAND-IN: {path} is absent; {self.shape.name} is GENERATED with the same shape",
            file=sys.stderr,
            flush=True,
        )
        frame = stand_in(self.shape)
        return arff(self.shape.name, frame) if suffix == ".arff" else parquet(frame)

    @cached_property
    def columns(self) -> list[tuple[str, str, list[str]]]:
        """Name, OpenML type and categories of every column."""
        frame = pq.read_table(io.BytesIO(self.file(".parquet"))).to_pandas()
        return [(str(name), *_kind(frame[name])) for name in frame.columns]


def _kind(column: pd.Series) -> tuple[str, list[str]]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return "nominal", [str(value) for value in column.cat.categories]
    return "numeric", []


def stand_in(shape: Shape) -> pd.DataFrame:
    """Generated rows of the same shape, so that everything but the rows themselves is still tried."""
    random = np.random.default_rng(shape.id)
    names = [f"{shape.prefix}{number + 1}" for number in range(shape.features)]
    if shape.classes:
        codes = random.integers(0, shape.classes, shape.rows)
        centres = random.integers(0, 200, (shape.classes, shape.features), dtype=np.uint8)
        noise = random.integers(0, 56, (shape.rows, shape.features), dtype=np.uint8)
        frame = pd.DataFrame(centres[codes] + noise, columns=names)
        frame[shape.target] = pd.Categorical([f"{code}" for code in codes])
        return frame
    numbers = random.normal(size=(shape.rows, shape.features))
    frame = pd.DataFrame(numbers, columns=names)
    frame[shape.target] = np.clip(np.rint(5.6 + numbers[:, -1]), 3, 8).astype(np.int64)
    return frame


def parquet(frame: pd.DataFrame) -> bytes:
    """A table as Parquet."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()


def arff(name: str, frame: pd.DataFrame) -> bytes:
    """A table as ARFF."""
    lines = [f"@relation {name}"]
    for column in frame.columns:
        kind, values = _kind(frame[column])
        lines.append(f"@attribute {column} " + ("{" + ",".join(values) + "}" if kind == "nominal" else "real"))
    return ("\n".join([*lines, "@data"]) + "\n" + frame.to_csv(index=False, header=False)).encode()


class OpenMLServer(ThreadingHTTPServer):
    """The server; every request has a thread of its own."""

    daemon_threads = True

    def __init__(self, host: str, port: int, folder: Path = REAL_DATA) -> None:
        super().__init__((host, port), _Handler)
        self.hosted = {shape.id: Hosted(shape, folder) for shape in SHAPES}
        self.requests: list[str] = []

    @property
    def address(self) -> str:
        """What to write as `openml.server`."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}/api/v1/xml"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: OpenMLServer

    def do_GET(self) -> None:
        self._respond(with_body=True)

    def do_HEAD(self) -> None:
        self._respond(with_body=False)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Requests are kept in `OpenMLServer.requests` instead of standard error."""

    def _respond(self, *, with_body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        self.server.requests.append(f"{self.command} {path}")
        for pattern, answer in self._routes():
            match = re.fullmatch(pattern, path)
            if match:
                self._send(*answer(match), with_body=with_body)
                return
        self._send(404, b"<Error><Code>NoSuchKey</Code><Message>Object does not exist</Message></Error>")

    def _routes(self) -> list[tuple[str, Callable[[re.Match[str]], tuple[int, bytes, str]]]]:
        return [
            (API + r"/(\d+)", lambda match: self._of(int(match[1]), self._description)),
            (API + r"/features/(\d+)", lambda match: self._of(int(match[1]), self._features)),
            (API + r"/qualities/(\d+)", lambda match: self._of(int(match[1]), self._qualities)),
            (API + r"/list/(.*)", lambda match: self._list(match[1])),
            (r"/datasets/(\d+)/\w+(\.parquet|\.arff)", self._file),
        ]

    def _of(self, number: int, answer: Callable[[Hosted], tuple[int, bytes, str]]) -> tuple[int, bytes, str]:
        hosted = self.server.hosted.get(number)
        return _error(111, "Unknown dataset") if hosted is None else answer(hosted)

    def _description(self, hosted: Hosted) -> tuple[int, bytes, str]:
        shape = hosted.shape
        address = f"http://{self.headers['Host']}/datasets/{shape.id}/{Path(shape.file).stem}"
        suffix, format_name = (".arff", "ARFF") if shape.arff else (".parquet", "Parquet")
        fields: dict[str, object] = {"id": shape.id, "name": shape.name, "version": 1, "format": format_name}
        fields |= {"url": address + suffix, "parquet_url": address + ".parquet", "status": "active"}
        fields |= {"default_target_attribute": shape.target, "md5_checksum": _md5(hosted.file(suffix))}
        return _xml(f"<oml:data_set_description {NAMESPACE}>{_tags(fields)}</oml:data_set_description>")

    def _features(self, hosted: Hosted) -> tuple[int, bytes, str]:
        parts = []
        for index, (name, kind, values) in enumerate(hosted.columns):
            nominal = "".join(f"<oml:nominal_value>{escape(value)}</oml:nominal_value>" for value in values)
            fields = _tags({"index": index, "name": name, "data_type": kind, "number_of_missing_values": 0})
            parts.append(f"<oml:feature>{fields}{nominal}</oml:feature>")
        return _xml(f"<oml:data_features {NAMESPACE}>{''.join(parts)}</oml:data_features>")

    def _qualities(self, hosted: Hosted) -> tuple[int, bytes, str]:
        quality = _tags({"name": "NumberOfInstances", "value": hosted.shape.rows})
        quality = f"<oml:quality>{quality}</oml:quality>"
        return _xml(f"<oml:data_qualities {NAMESPACE}>{quality}</oml:data_qualities>")

    def _list(self, filters: str) -> tuple[int, bytes, str]:
        parts = filters.strip("/").split("/")
        wanted = dict(zip(parts[::2], parts[1::2], strict=False))
        found = [
            hosted.shape
            for hosted in self.server.hosted.values()
            if wanted.get("data_name", hosted.shape.name) == hosted.shape.name
            and wanted.get("data_version", "1") == "1"
        ]
        if not found or int(wanted.get("offset", 0)) > 0:
            return _error(372, "No results")
        sets = "".join(
            "<oml:dataset>"
            + _tags({"did": s.id, "name": s.name, "version": 1, "status": "active", "format": "ARFF"})
            + "</oml:dataset>"
            for s in found
        )
        return _xml(f"<oml:data {NAMESPACE}>{sets}</oml:data>")

    def _file(self, match: re.Match[str]) -> tuple[int, bytes, str]:
        kind = "application/octet-stream"
        return self._of(int(match[1]), lambda hosted: (200, hosted.file(match[2]), kind))

    def _send(self, status: int, body: bytes, kind: str = "text/xml", *, with_body: bool = True) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{_md5(body)}"')
        self.send_header("Last-Modified", formatdate(0, usegmt=True))
        self.end_headers()
        if with_body:
            self.wfile.write(body)


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _tags(fields: dict[str, object]) -> str:
    return "".join(f"<oml:{name}>{escape(str(value))}</oml:{name}>" for name, value in fields.items())


def _xml(body: str) -> tuple[int, bytes, str]:
    return 200, f'<?xml version="1.0" encoding="utf-8"?>{body}'.encode(), "text/xml"


def _error(code: int, message: str) -> tuple[int, bytes, str]:
    _, body, kind = _xml(f"<oml:error {NAMESPACE}>{_tags({'code': code, 'message': message})}</oml:error>")
    return 412, body, kind


@contextmanager
def serve(host: str = "127.0.0.1", port: int = 0, folder: Path = REAL_DATA) -> Iterator[OpenMLServer]:
    """A running server for the length of a block; port 0 takes a free one."""
    server = OpenMLServer(host, port, folder)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=18554)
    parser.add_argument("--data", type=Path, default=REAL_DATA)
    options = parser.parse_args()
    server = OpenMLServer(options.host, options.port, options.data)
    print(f"serving {server.address}", file=sys.stderr, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
