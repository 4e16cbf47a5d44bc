"""An S3 API on loopback: moto's server, reached as any other by AWS_ENDPOINT_URL and keys in the environment."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

BUCKET: Final = "sweeps"
SECRET_KEY: Final = "very-secret-key"


@contextmanager
def object_storage() -> Iterator[Any]:
    """A server with a bucket, and the environment to reach it, also for processes started meanwhile; a boto3 client."""
    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "access-key",
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield client
    finally:
        server.stop()
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})
