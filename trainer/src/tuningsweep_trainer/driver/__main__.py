"""The entry point of the RayJob: `python -m tuningsweep_trainer.driver`, without arguments.

It reads the mounted sweep and token, joins the Ray cluster it runs in, and exits with 0 when the sweep is Complete, or Failed
and the operator knows: of a job that succeeded unheard it says that its sweep is Complete. Any other exit is a crash, after
which KubeRay starts it again and the ledger lets it go on, to the same result if it had one.
"""

import errno
import json
import logging
import os
import sys
import tempfile
from pathlib import Path

from tuningsweep_api import names
from tuningsweep_api.outcomes import ConditionReason
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.driver.options import ControlOptions, DriverOptions
from tuningsweep_trainer.driver.preflight import PROBE, storage_trouble
from tuningsweep_trainer.driver.run import InterruptedSweepError, UnheardFailureError, run_sweep
from tuningsweep_trainer.errors import SweepError
from tuningsweep_trainer.logs import configure_logging
from tuningsweep_trainer.results.store import open_store
from tuningsweep_trainer.tracking.setup import make_listeners

INTERRUPTED = 130

log = logging.getLogger("tuningsweep_trainer.driver")


def results_location(sweep: TuningSweep) -> str:
    """Where the results of a sweep go in a cluster: a folder of its name in the mounted volume, or under the URI."""
    root = sweep.spec.storage.uri or os.environ.get("TUNINGSWEEP_RESULTS", names.RESULTS_MOUNT)
    return f"{root.rstrip('/')}/{sweep.metadata.name}"


def foreign_results(sweep: TuningSweep, results: str) -> SweepError | None:
    """Why results must be left alone: they are of another sweep of this name, deleted long ago maybe."""
    content = open_store(results).read(names.SWEEP_KEY)
    if content is None:
        return None
    try:
        uid = json.loads(content)["metadata"]["uid"]
    except (ValueError, KeyError, TypeError):
        uid = "unknown"
    if uid == sweep.metadata.uid:
        return None
    message = (
        f"the storage holds results of another sweep {sweep.metadata.name} (uid {uid}); give this one another name, claim or"
        f" URI, or move the folder {sweep.metadata.name} away"
    )
    return SweepError(ConditionReason.RESULTS_TAKEN, message)


def refusal_of(sweep: TuningSweep, results: str) -> SweepError | None:
    """Why the sweep can't have these results: they are another's, or the storage lets nobody in with these keys or user.

    OSError for storage that does not answer: starting again may find it better.
    """
    doing = "read"
    try:
        foreign = foreign_results(sweep, results)
        if foreign is None:
            doing = "write to"
            open_store(results).write(PROBE, b"")
    except OSError as error:
        if not _is_denied(error):
            raise
        return storage_trouble(results, f"the driver can't {doing} {results}: {error}")
    return foreign


def _is_denied(error: OSError) -> bool:
    # S3's clients say it in the text.
    return error.errno in (errno.EACCES, errno.EPERM, errno.EROFS) or "ACCESS_DENIED" in str(error)


def options_for(sweep: TuningSweep, results: str, control: ControlOptions) -> DriverOptions:
    """Options of the cluster's driver; results that it can't have are left as they are."""
    refusal = refusal_of(sweep, results)
    if refusal is not None:
        results = tempfile.mkdtemp(prefix="tuningsweep-refused-")
    return DriverOptions(
        results=results,
        control=control,
        metrics_port=names.METRICS_PORT,
        local=False,
        ray_address="auto",
        listeners=[] if refusal is not None else make_listeners(sweep, results),
        refusal=refusal,
    )


def control_options(token: Path) -> ControlOptions:
    """Serve with the key pair beside the token; a Secret that has none was made by an operator that knew no TLS."""
    certificate, key = token.with_name(names.CERTIFICATE_KEY), token.with_name(names.PRIVATE_KEY_KEY)
    text = token.read_text().strip()
    if not certificate.exists():
        return ControlOptions(text)
    return ControlOptions(text, str(certificate), str(key))


def main() -> int:
    """Run the mounted sweep; the exit code."""
    manifest = json.loads(Path(os.environ.get("TUNINGSWEEP_SWEEP_FILE", names.SWEEP_FILE)).read_text())
    sweep = TuningSweep.from_stored(manifest)
    configure_logging(sweep=sweep.metadata.name, namespace=sweep.metadata.namespace)
    unknown = TuningSweep.passed_over(manifest)
    if unknown:
        log.warning("of a later release, and without effect in this one: %s", ", ".join(unknown))
    control = control_options(Path(os.environ.get("TUNINGSWEEP_TOKEN_FILE", names.TOKEN_FILE)))
    options = options_for(sweep, results_location(sweep), control)
    try:
        run_sweep(sweep, options)
    except InterruptedSweepError:
        return INTERRUPTED
    except UnheardFailureError:
        return 1
    except Exception:
        log.exception("the driver failed")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
