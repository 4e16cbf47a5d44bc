"""An S3 API that refuses wrong keys: moto's server, reached as any other by AWS_ENDPOINT_URL and keys in the environment."""

import json
import logging
import os
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from unittest import mock

BUCKET: Final = "sweeps"
EVERYTHING_IN_S3: Final = {
    "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
    "Version": "2012-10-17",
}
FREE_FOR_ALL = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1"}
"""Keys of before moto asks for the right ones."""


@dataclass(frozen=True)
class ObjectStorage:
    """A server that runs, with a bucket, and the keys of its one user."""

    address: str
    keys: dict[str, str]
    """AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."""
    client: Any
    """boto3's for S3, with those keys."""

    @property
    def secret(self) -> str:
        """The key that must be in no log."""
        return self.keys["AWS_SECRET_ACCESS_KEY"]

    def contents(self) -> dict[str, bytes]:
        """Every object of the bucket by its key; a thousand at most."""
        found = self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return {one["Key"]: self.client.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read() for one in found}


@contextmanager
def object_storage(host: str = "127.0.0.1") -> Iterator[ObjectStorage]:
    """A server on an address of this machine, and the environment to reach it, also for processes started meanwhile."""
    from moto import settings
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address=host, port=0, verbose=False)
    server.start()
    address = f"http://{host}:{server.get_host_and_port()[1]}"
    reached = {"AWS_ENDPOINT_URL": address, "AWS_EC2_METADATA_DISABLED": "true", **FREE_FOR_ALL}
    try:
        # What an earlier server of this process held.
        urllib.request.urlopen(urllib.request.Request(f"{address}/moto-api/reset", method="POST"), timeout=30).close()
        with mock.patch.dict(os.environ, reached):
            keys = _user_and_bucket()
            os.environ.update(keys)
            with mock.patch.object(settings, "INITIAL_NO_AUTH_ACTION_COUNT", 0):  # from now on signatures count
                yield ObjectStorage(address, keys, _client("s3"))
    finally:
        server.stop()


def _user_and_bucket() -> dict[str, str]:
    """The bucket, and the keys of a user who may do everything in it."""
    _client("s3").create_bucket(Bucket=BUCKET)
    users = _client("iam")
    users.create_user(UserName="sweeps")
    users.put_user_policy(UserName="sweeps", PolicyName="sweeps", PolicyDocument=json.dumps(EVERYTHING_IN_S3))
    made = users.create_access_key(UserName="sweeps")["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": made["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"]}


def _client(service: str) -> Any:
    import boto3

    return boto3.Session().client(service)  # a session of its own: the shared one keeps the first keys it saw
