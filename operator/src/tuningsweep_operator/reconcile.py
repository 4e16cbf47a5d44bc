"""The level-triggered reconcile of one sweep: gather, apply, ask the driver, fold, write, acknowledge.

Called by the work queue with a key; everything it needs to know is in the API server, the driver or the store, so it
may be interrupted anywhere and started again by another process.
"""

import logging
import time
from datetime import UTC, datetime

from pydantic import ValidationError

from tuningsweep_api.errors import explain
from tuningsweep_api.outcomes import ConditionReason
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.status import TuningSweepStatus
from tuningsweep_operator import metrics
from tuningsweep_operator.builders.common import is_owned_by
from tuningsweep_operator.control import Answer, ControlClient
from tuningsweep_operator.drivers import Drivers
from tuningsweep_operator.finish import Finisher
from tuningsweep_operator.hold_back.decision import Hold
from tuningsweep_operator.hold_back.gate import Gate
from tuningsweep_operator.kube import Kube, KubeError, is_conflict
from tuningsweep_operator.look_again import REFUSED_SECONDS, TROUBLE_SECONDS, look_again
from tuningsweep_operator.memory import Memory
from tuningsweep_operator.owned import (
    NameConflictError,
    OwnedObjects,
    override_trouble,
    queue_trouble,
    refusal_trouble,
)
from tuningsweep_operator.resources import RAY_CLUSTERS, RAY_JOBS, Key, Manifest
from tuningsweep_operator.settings import Settings
from tuningsweep_operator.status.fold import deadline, fold, is_finished
from tuningsweep_operator.status.invalid_spec import refuse
from tuningsweep_operator.status.observation import Observation, Trouble
from tuningsweep_operator.stops import tell_stops
from tuningsweep_operator.store import Store

UNWATCHED_SECONDS = 3.0
"""Watch lag from which the API server is asked at every reconcile: a KubeRay installed later is not watched at once."""

log = logging.getLogger(__name__)


class Reconciler:
    """Reconciles sweeps."""

    def __init__(
        self, kube: Kube, control: ControlClient, drivers: Drivers, store: Store, settings: Settings, gate: Gate
    ) -> None:
        self._kube = kube
        self._drivers = drivers
        self._store = store
        self._settings = settings
        self._gate = gate
        self._owned = OwnedObjects(kube, settings)
        self._finish = Finisher(kube, control, store, self._owned)
        self._memory: dict[Key, Memory] = {}

    async def __call__(self, key: Key) -> float | None:
        """Reconcile one sweep; seconds until it wants to be looked at again."""
        manifest = self._store.sweeps.get(key)
        if manifest is None or manifest["metadata"].get("deletionTimestamp"):
            self._memory.pop(key, None)
            self._drivers.leave(key)
            return None
        started = time.perf_counter()
        try:
            again = await self._reconcile(key, manifest)
        except Exception as error:
            if not is_conflict(error):
                metrics.RECONCILE_ERRORS.inc()
            raise
        else:
            metrics.LAST_RECONCILE.set_to_current_time()
            return again
        finally:
            metrics.RECONCILE_SECONDS.observe(time.perf_counter() - started)

    async def _reconcile(self, key: Key, manifest: Manifest) -> float | None:
        now = datetime.now(UTC)
        memory = self._remember(key, manifest["metadata"]["uid"])
        status = TuningSweepStatus.model_validate(manifest.get("status") or {}, extra="ignore")
        finished = is_finished(status)
        if finished:
            self._drivers.leave(key)
            await self._note_generation(key, manifest, status)
        try:
            sweep = TuningSweep.from_stored(manifest)
        except ValidationError as error:
            if finished:
                return await self._finish.without_spec(key, manifest, status, now)
            self._drivers.leave(key)
            return await self._refuse(key, manifest, status, explain(error), now)
        if finished:
            return await self._finish(sweep, status, now)
        if self._gate.is_undecided(key):
            return TROUBLE_SECONDS
        seen = await self._observe(key, sweep, status, memory, self._gate.hold(key), now)
        folded = fold(sweep, status, seen, self._settings, now)
        if seen.state is not None:
            await tell_stops(self._kube, sweep, seen.state, max(status.stop_count, memory.stops_told), now)
            memory.stops_told = seen.state.stop_count
        wait = await self._write(key, memory, status, folded)
        if is_finished(folded) or self._edited(key, manifest):
            return 0.0
        return min(
            wait,
            look_again(
                sweep,
                folded,
                seen,
                self._settings,
                now,
                since_change=self._store.since_change(key),
                listening=self._drivers.is_listening(key),
            ),
        )

    def _edited(self, key: Key, manifest: Manifest) -> bool:
        """Whether a user's edit came between: then our own write's answer shows it, and no event that is newer."""
        now = self._store.sweeps.get(key, manifest)["metadata"]
        return any(now.get(field) != manifest["metadata"].get(field) for field in ("uid", "generation", "annotations"))

    def _remember(self, key: Key, uid: str) -> Memory:
        memory = self._memory.get(key)
        if memory is None or memory.uid != uid:
            memory = self._memory[key] = Memory(uid)
        return memory

    async def _refuse(
        self, key: Key, manifest: Manifest, status: TuningSweepStatus, sentences: list[str], now: datetime
    ) -> float | None:
        """Say of a sweep with an invalid spec that it can't be followed."""
        uid = manifest["metadata"]["uid"]
        facts = Observation(ray_job=await self._ray_job(key, uid, status))
        runs = facts.is_under_way or facts.is_queued  # Kueue may let it run at any time
        refused = refuse(status, sentences, manifest["metadata"].get("generation", 1), now, runs=runs)
        if refused != status:
            await self._patch(key, uid, refused)
        return REFUSED_SECONDS if runs else None

    async def _ray_job(self, key: Key, uid: str, status: TuningSweepStatus) -> Manifest | None:
        """The sweep's RayJob; asked for where a watch that has only begun may not have shown it yet."""
        ray_job = self._store.ray_job(key, uid)
        if ray_job is not None or status.ray_job_name is None:
            return ray_job
        found = await self._kube.get(RAY_JOBS, *key)
        return found if found is not None and is_owned_by(found, uid) else None

    async def _note_generation(self, key: Key, manifest: Manifest, status: TuningSweepStatus) -> None:
        """Say that an edit after the end was seen, which changes nothing: GitOps would wait for it for ever."""
        generation = manifest["metadata"].get("generation", 1)
        if status.observed_generation != generation:
            uid = manifest["metadata"]["uid"]
            await self._patch(key, uid, status.model_copy(update={"observed_generation": generation}))

    async def _observe(
        self, key: Key, sweep: TuningSweep, status: TuningSweepStatus, memory: Memory, hold: Hold | None, now: datetime
    ) -> Observation:
        """Apply what the sweep owns, then look at it and ask the driver."""
        refusal = await self._apply(key, sweep, status, memory, held=hold is not None)
        ray_job = self._store.ray_job(key, memory.uid)
        facts = Observation(ray_job=ray_job, pods=self._store.pods(key), refusal=refusal)
        answer = Answer()
        if facts.deployment == "Running" and not sweep.spec.suspend and not facts.is_suspended:
            answer = await self._drivers.ask(sweep, status, facts, memory.access, now)
        else:
            self._drivers.leave(key)
        return Observation(
            ray_job=ray_job,
            workload=self._store.workload(key),
            ray_cluster=await self._ray_cluster(key, facts),
            pods=facts.pods,
            refusal=refusal,
            hold=hold if ray_job is None or facts.is_suspended else None,  # what runs is never held
            state=answer.state,
            driver_error=answer.error,
            driver_silence=self._drivers.silence(key),
            job_silence=self._job_silence(key, facts),
            start_silence=self._store.since_change(key) if facts.is_being_made else 0.0,
            queue_silence=self._queue_silence(key, facts),
            overdue=memory.since_deadline(deadline(sweep, status), now),
        )

    async def _apply(
        self, key: Key, sweep: TuningSweep, status: TuningSweepStatus, memory: Memory, *, held: bool
    ) -> Trouble | None:
        """Bring the owned objects to the spec when it changed, the RayJob drifted, or it is time to look for drift."""
        queue = tuple(sweep.queue_labels.items())
        wanted = (sweep.metadata.generation, sweep.spec.suspend, held, sweep.stop_requests, queue)
        now = time.monotonic()
        watched = self._store.ray_jobs_lag.of(key, now) < UNWATCHED_SECONDS
        fresh = watched and now - memory.applied_at < self._settings.resync_seconds
        ray_job = self._store.ray_job(key, memory.uid)
        if memory.applied == wanted and fresh and ray_job is not None:
            return None
        self._name_passed_over(key)
        trouble = override_trouble(sweep, self._settings) or queue_trouble(sweep)
        if trouble is not None:
            # What an installation forbids later, or a label that comes later, changes nothing for what runs.
            ray_job = await self._ray_job(key, memory.uid, status)
            if not Observation(ray_job=ray_job).is_under_way:
                return trouble
        expected = status.observed_generation is not None  # a status says that an operator was here before
        try:
            memory.access = await self._owned.ensure_access(sweep, expected=expected)
            await self._owned.apply_inputs(sweep, expected=expected)
            ray_job = await self._owned.bring_ray_job(sweep, expected=expected, held=held)
            if ray_job is not None:
                self._store.put_returned_ray_job(ray_job)
        except NameConflictError as conflict:
            return Trouble(ConditionReason.NAME_CONFLICT, str(conflict))
        except KubeError as error:
            trouble = refusal_trouble(error)
            if trouble is None:
                raise
            if trouble.reason is ConditionReason.KUBERAY_NOT_INSTALLED:
                self._store.drop_ray_job(key)
            return trouble
        memory.applied, memory.applied_at = wanted, time.monotonic()
        return None

    def _name_passed_over(self, key: Key) -> None:
        """Log what a CRD of a later release lets in and this operator does not know: it has no effect."""
        unknown = TuningSweep.passed_over(self._store.sweeps[key]) if key in self._store.sweeps else []
        if unknown:
            extra = {"sweep": key[1], "namespace": key[0]}
            log.warning("of a later release, and without effect in this one: %s", ", ".join(unknown), extra=extra)

    def forget(self) -> None:
        """Trust nothing remembered: another replica may have written since."""
        self._memory.clear()
        self._drivers.forget()
        self._gate.forget()

    def ray_job_changed(self, key: Key) -> None:
        """Someone changed the RayJob's spec or deleted it: apply it again at the next reconcile."""
        memory = self._memory.get(key)
        if memory is not None:
            memory.applied = None

    async def _ray_cluster(self, key: Key, facts: Observation) -> Manifest | None:
        name = facts.job_status.get("rayClusterName")
        if not name or facts.deployment == "Running":
            return None
        return await self._kube.get(RAY_CLUSTERS, key[0], name)

    def _job_silence(self, key: Key, facts: Observation) -> float:
        """Seconds since the RayJob changed without KubeRay having acted on it."""
        unheeded = ("", "Initializing", "Running") if facts.is_suspended else ("", "Suspended")
        if facts.ray_job is None or facts.deployment not in unheeded:
            return 0.0
        return self._store.since_change(key)

    def _queue_silence(self, key: Key, facts: Observation) -> float:
        """Seconds that the RayJob has waited in its queue without Kueue having taken it up."""
        return self._store.since_change(key) if facts.is_queued and self._store.workload(key) is None else 0.0

    async def _write(self, key: Key, memory: Memory, before: TuningSweepStatus, after: TuningSweepStatus) -> float:
        """Write the status if it changed and may be written now; seconds until it may be."""
        if before == after:
            return self._settings.resync_seconds
        since = time.monotonic() - memory.written_at
        if _words(before) == _words(after) and since < self._settings.status_seconds:
            return self._settings.status_seconds - since
        await self._patch(key, memory.uid, after)
        memory.written_at = time.monotonic()
        return self._settings.resync_seconds

    async def _patch(self, key: Key, uid: str, status: TuningSweepStatus) -> None:
        metrics.STATUS_WRITES.inc()
        written = await self._kube.replace_status(*key, uid, status.dump())
        if written is not None:  # else it was deleted meanwhile: nothing to say any more
            self._store.put_returned_sweep(written)


def _words(status: TuningSweepStatus) -> list[tuple[str, str, str]]:
    return [(condition.type, condition.status, condition.reason) for condition in status.conditions]
