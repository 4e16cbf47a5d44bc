"""Files by path and by URL, in each format; a server that falls silent or breaks off is given up."""

import socket
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer

import pandas as pd
import pytest

from tuningsweep_api.spec.dataset import Dataset, DatasetFile
from tuningsweep_api.spec.trainable import Task
from tuningsweep_trainer.datasets import sources
from tuningsweep_trainer.errors import DatasetError

NAMES = ["rows.parquet", "rows.csv", "rows.csv.gz"]
BROKEN_OFF = "/broken-off/"
"""Below this the server of the tests sends half of what it has announced."""


@pytest.fixture
def folder(tmp_path):
    table = pd.DataFrame({"x": range(10), "y": [0, 1] * 5})
    table.to_parquet(tmp_path / "rows.parquet")
    for name in NAMES[1:]:
        table.to_csv(tmp_path / name, index=False)
    return tmp_path


@pytest.fixture
def address(folder):
    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(folder))

        def do_GET(self):
            if not self.path.startswith(BROKEN_OFF):
                super().do_GET()
                return
            content = (folder / self.path.removeprefix(BROKEN_OFF)).read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: content.index(b"5,1")])  # whole lines, as if these were all

        def log_message(self, *_):
            pass

    class Server(ThreadingHTTPServer):
        def server_bind(self):  # the standard one asks the name service for its own name, which takes seconds
            TCPServer.server_bind(self)

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def loaded(location: str):
    return sources.load(Dataset(file=DatasetFile(location=location), target="y"), Task.CLASSIFICATION)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_read_by_path_file_url_and_http(folder, address, monkeypatch, name):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for location in (str(folder / name), f"file://{folder / name}", f"{address}/{name}"):
        rows = loaded(location)
        assert rows.features[:, 0].tolist() == list(range(10))
        assert rows.target.tolist() == [0, 1] * 5


def test_a_placeholder_in_a_large_file_does_not_make_two_columns_of_one(tmp_path):
    rows = 300_000  # pandas reads 2**18 bytes at a time unless it is told not to
    numbers = [str(row % 3) for row in range(rows - 1)]
    pd.DataFrame({"x": [*numbers, "?"], "y": [0, 1] * (rows // 2)}).to_csv(tmp_path / "rows.csv", index=False)
    assert loaded(str(tmp_path / "rows.csv")).columns == ["x_0", "x_1", "x_2", "x_?"]


def test_a_lost_connection_is_no_end_of_the_file(address, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(DatasetError, match=r"cannot be read \(the connection was lost after 24 of 44 bytes\)"):
        loaded(f"{address}{BROKEN_OFF}rows.csv")


def test_an_absent_url_is_a_sentence(address, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(DatasetError, match=r"file\.location: .*none\.csv cannot be read \(HTTP Error 404"):
        loaded(f"{address}/none.csv")


def test_a_password_in_an_address_is_not_told(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(DatasetError, match=r"file\.location: https://127\.0\.0\.1:1/x\.csv cannot be read") as refused:
        loaded("https://bob:hunter2@127.0.0.1:1/x.csv")
    assert "hunter2" not in str(refused.value)


def test_a_silent_server_is_given_up(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(sources, "SILENCE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(DatasetError, match=r"cannot be read.*timed out"):
            loaded(f"http://127.0.0.1:{port}/rows.csv")
