"""`python -m tuningsweep_trainer.tracking RESULTS`: sends what a sweep could not send to MLflow before it ended."""

import argparse
import json
import logging
import sys

from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.results.store import open_store
from tuningsweep_trainer.tracking.sender import Sender
from tuningsweep_trainer.tracking.setup import SWEEP_FILE, connection
from tuningsweep_trainer.tracking.spool import Spool


def main(arguments: list[str] | None = None) -> int:
    """0 if everything has been sent, 1 if something is left, 2 if the folder has no tracked sweep."""
    parser = argparse.ArgumentParser(prog="python -m tuningsweep_trainer.tracking", description=__doc__)
    parser.add_argument("results", help="a sweep's results: a folder, or a URI of object storage")
    results: str = parser.parse_args(arguments).results.removeprefix("file://").rstrip("/")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    store = open_store(results)
    content = store.read(SWEEP_FILE)
    if content is None:
        sys.stderr.write(f"{results} has no {SWEEP_FILE}: write the folder of a sweep that was tracked\n")
        return 2
    spool = Spool(store)
    sender = Sender(connection(TuningSweep.from_manifest(json.loads(content)), results), spool)
    sender.start()
    sender.finish()
    return 1 if spool.files else 0


if __name__ == "__main__":
    sys.exit(main())
