"""A running sweep on a cluster: its object's status, and its driver's control API through port-forward."""

import http.client
from typing import Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from tuningsweep_api import names
from tuningsweep_api.messages import SweepState, TrialPage
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import TrialRecord
from tuningsweep_cli.cluster import PODS, Cluster, NotFoundError, get_sweep
from tuningsweep_cli.exits import CommandError, Exit
from tuningsweep_cli.source.base import Progress, Source
from tuningsweep_cli.source.status import progress_of, status_of, sweep_of
from tuningsweep_operator.access import ControlAccess
from tuningsweep_operator.builders.common import secret_name
from tuningsweep_operator.resources import SECRETS
from tuningsweep_trainer.results.traces import TrialTrace

Answer = TypeVar("Answer")
_STATE, _PAGE, _TRACES = TypeAdapter(SweepState), TypeAdapter(TrialPage), TypeAdapter(list[TrialTrace])
OTHER_VERSION: Final = (
    "the sweep's driver is of another version; use the tuningsweep command of the trainer image's version"
)


class DriverUnreachableError(CommandError):
    """The driver does not answer (yet, or any more)."""

    def __init__(self, message: str) -> None:
        super().__init__(message, Exit.CLUSTER)


class LiveSource(Source):
    """Asks the API server how the sweep is, and its driver about trials."""

    def __init__(self, cluster: Cluster, sweep: TuningSweep) -> None:
        self._cluster, self.sweep = cluster, sweep
        self.place = f"namespace {cluster.namespace}"
        self._known_access: ControlAccess | None = None

    def progress(self) -> Progress:
        """The status, with the driver's own newer state while it answers."""
        manifest = get_sweep(self._cluster, self.sweep.metadata.name)
        self.sweep, status = sweep_of(manifest), status_of(manifest)  # it may have been edited
        progress = progress_of(status)
        if progress.ended or status.ray_cluster_name is None:
            return progress
        try:
            state = self.state()
        except DriverUnreachableError:
            return progress
        return Progress(progress.phase, progress.message, state.trials, tuple(state.running), state.optimal_trial)

    def state(self) -> SweepState:
        """The driver's state; DriverUnreachableError if it does not answer."""
        return self._ask(names.CONTROL_STATE_PATH, _STATE)

    def records(self, after: int = 0) -> list[TrialRecord]:
        """All pages of records."""
        found: list[TrialRecord] = []
        while True:
            path = f"{names.CONTROL_TRIALS_PATH}?after={after + len(found)}"
            page = self._ask(path, _PAGE)
            found += page.records
            if not page.records or after + len(found) >= page.total:
                return found

    def traces(self, trial: str) -> list[TrialTrace]:
        """As the driver reads them from its results."""
        return self._ask(f"{names.CONTROL_TRACES_PATH}/{trial}", _TRACES)

    def _ask(self, path: str, answer: TypeAdapter[Answer]) -> Answer:
        access = self._access()
        headers = {"Authorization": f"Bearer {access.token}"}
        try:
            with self._cluster.http(self._head_pod(), names.CONTROL_PORT, access) as connection:
                connection.request("GET", path, headers=headers)
                response = connection.getresponse()
                content = response.read(names.CONTROL_MAX_LIST_BYTES + 1)
        except (OSError, http.client.HTTPException) as error:
            raise DriverUnreachableError(
                f"the driver of {self.sweep.metadata.name} does not answer ({type(error).__name__}); it may be starting:"
                " try again in a moment"
            ) from error
        if len(content) > names.CONTROL_MAX_LIST_BYTES:
            raise DriverUnreachableError(f"the driver answers with more than {names.CONTROL_MAX_LIST_BYTES} bytes")
        if response.status == 404:
            raise CommandError(OTHER_VERSION)
        if response.status != 200:
            raise DriverUnreachableError(f"the driver answers with HTTP status {response.status}")
        try:
            return answer.validate_json(content, extra="ignore")
        except ValidationError as error:
            raise CommandError(OTHER_VERSION) from error

    def _access(self) -> ControlAccess:
        if self._known_access is None:
            try:
                secret = self._cluster.get(SECRETS, secret_name(self.sweep.metadata.name))
            except NotFoundError as error:
                name = self.sweep.metadata.name
                raise DriverUnreachableError(f"{name} has not been started yet; try again in a moment") from error
            self._known_access = ControlAccess.from_secret(secret)
        if self._known_access is None:
            raise DriverUnreachableError("the driver's token or certificate is missing from its Secret")
        return self._known_access

    def _head_pod(self) -> str:
        selector = f"{names.LABEL_SWEEP}={self.sweep.metadata.name},ray.io/node-type=head"
        for pod in self._cluster.items(PODS, selector):
            if pod["status"].get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]:
                return str(pod["metadata"]["name"])
        raise DriverUnreachableError(f"{self.sweep.metadata.name} has no running head pod; try again in a moment")
