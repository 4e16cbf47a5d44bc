"""Put on PYTHONPATH of an operator outside a cluster: names of Services resolve as the test says, as cluster DNS would.

TUNINGSWEEP_TEST_HOSTS names a JSON file, service name to address; it is read anew at every look-up.
"""

import json
import os
import socket
from pathlib import Path

_getaddrinfo = socket.getaddrinfo


def _of_the_test(host, *arguments, **options):
    name = host.decode() if isinstance(host, bytes) else host
    if isinstance(name, str) and name.endswith(".svc"):
        host = json.loads(Path(os.environ["TUNINGSWEEP_TEST_HOSTS"]).read_text()).get(
            name.partition(".")[0], "127.255.255.1"
        )
    return _getaddrinfo(host, *arguments, **options)


socket.getaddrinfo = _of_the_test
