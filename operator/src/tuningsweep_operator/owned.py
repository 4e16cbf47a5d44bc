"""Applies what a sweep owns, from its Secret to its RayJob. A refusal becomes a Trouble that says what to do."""

import logging
import secrets as random_secrets
from datetime import UTC, datetime

from tuningsweep_api import names
from tuningsweep_api.outcomes import ConditionReason
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_operator.access import ControlAccess
from tuningsweep_operator.builders.claim import build_claim
from tuningsweep_operator.builders.common import is_owned_by, secret_name
from tuningsweep_operator.builders.config_map import build_config_map
from tuningsweep_operator.builders.network_policy import build_network_policy
from tuningsweep_operator.builders.ray_job import build_ray_job
from tuningsweep_operator.builders.secret import build_secret
from tuningsweep_operator.certificates import make_key_pair
from tuningsweep_operator.kube import Kube, KubeError
from tuningsweep_operator.resources import CLAIMS, CONFIG_MAPS, NETWORK_POLICIES, RAY_JOBS, SECRETS, Manifest, Resource
from tuningsweep_operator.settings import Settings
from tuningsweep_operator.status.observation import Trouble

TOKEN_BYTES = 32

log = logging.getLogger(__name__)


class NameConflictError(Exception):
    """An object that the sweep needs has its name taken by something that is not the sweep's; says what to do."""

    def __init__(self, kind: str, existing: Manifest, sweep: TuningSweep) -> None:
        metadata, name = existing["metadata"], sweep.metadata.name
        what = f"{kind} {metadata['name']}"
        owners = {(owner.get("kind"), owner.get("name")) for owner in metadata.get("ownerReferences", [])}
        if (names.KIND, name) in owners:
            super().__init__(
                f"{what} is of an earlier sweep {name}, which was deleted; this one starts once that is gone"
            )
        else:
            super().__init__(
                f"{what} is there already and is not this sweep's; delete or rename it, or rename the sweep"
            )


def refusal_trouble(error: KubeError) -> Trouble | None:
    """The trouble that a refusal stands for; None for a passing fault, which is to be tried again."""
    if error.status == 404:
        message = "the API server knows no rayjobs.ray.io: install KubeRay; the sweep goes on once it is there"
        return Trouble(ConditionReason.KUBERAY_NOT_INSTALLED, message)
    if error.status == 403 and "exceeded quota" in error.message:
        return Trouble(ConditionReason.QUOTA_EXCEEDED, f"raise the ResourceQuota or ask for less: {error.message}")
    if error.status in (400, 403, 422):
        return Trouble(ConditionReason.POD_REFUSED, f"the API server refuses what the sweep needs: {error.message}")
    return None


def override_trouble(sweep: TuningSweep, settings: Settings) -> Trouble | None:
    """The trouble with an override of the pods that the installation does not allow, before anything is made."""
    account, allowed = sweep.spec.cluster.pod_template.service_account_name, settings.allowed_service_accounts
    if account is None or account in allowed or "*" in allowed:
        return None
    listed = ", ".join(allowed) or "none"
    message = (
        f"spec.cluster.podTemplate.serviceAccountName {account!r} is not allowed here (allowed: {listed}); leave it out"
        " of a new sweep, or ask for it in the chart's podOverrides.allowedServiceAccounts"
    )
    return Trouble(ConditionReason.OVERRIDE_NOT_ALLOWED, message)


def queue_trouble(sweep: TuningSweep) -> Trouble | None:
    """The trouble with a sweep that can't wait in the queue which its label names; no schema can see a label."""
    sentence = sweep.queue_refusal
    return None if sentence is None else Trouble(ConditionReason.INVALID_SPEC, f"{sentence}, or take the label away")


class OwnedObjects:
    """Brings the objects of a sweep to what its builders say."""

    def __init__(self, kube: Kube, settings: Settings) -> None:
        self._kube = kube
        self._settings = settings

    async def ensure_access(self, sweep: TuningSweep, *, expected: bool = True) -> ControlAccess:
        """Token and certificate of the sweep's control API, made on first need and then left as they are.

        Here and below, an object is looked for before it is made only where it is `expected` to be there.
        """
        namespace, name = sweep.metadata.namespace, secret_name(sweep.metadata.name)
        secret = await self._kube.get(SECRETS, namespace, name) if expected else None
        if secret is None:
            secret = await self._kube.create(SECRETS, _new_secret(sweep))
            secret = secret or await self._kube.get(SECRETS, namespace, name)
        if secret is None:
            raise KubeError(409, f"Secret {name} is gone again")
        if not is_owned_by(secret, sweep.metadata.uid):
            raise NameConflictError("Secret", secret, sweep)
        access = ControlAccess.from_secret(secret)
        if access is not None:
            return access
        extra = {"sweep": sweep.metadata.name, "namespace": namespace}
        log.warning("Secret %s lacks its token or certificate, new ones are made", name, extra=extra)
        access = ControlAccess.from_secret(await self._kube.apply(SECRETS, _new_secret(sweep)))
        assert access is not None
        return access

    async def apply_inputs(self, sweep: TuningSweep, *, expected: bool = True) -> None:
        """Apply ConfigMap and NetworkPolicy, and make the claim.

        A claim that is there is left as it is: it may have been grown since, and can't be brought back to less.
        """
        await self._apply(CONFIG_MAPS, build_config_map(sweep, self._settings), sweep, expected=expected)
        claim = build_claim(sweep)
        if claim is not None:
            await self._apply(CLAIMS, claim, sweep, expected=expected, once=True)
        if self._settings.network_policies:
            policy = build_network_policy(sweep, self._settings)
            await self._apply(NETWORK_POLICIES, policy, sweep, expected=expected)

    async def bring_ray_job(self, sweep: TuningSweep, *, expected: bool = True, held: bool = False) -> Manifest | None:
        """Bring the RayJob to the spec; the object as the API server has it now, None if it is not to be there.

        `held` keeps one suspended that has not started. One that has is let run: no watch may have shown it yet.
        """
        if sweep.queue is not None:
            return await self._bring_queued_ray_job(sweep)
        suspend = sweep.spec.suspend
        if held and not suspend:
            live = await self._find(RAY_JOBS, sweep, "RayJob", sweep.metadata.name)
            suspend = live is None or bool(live["spec"].get("suspend"))
        manifest = build_ray_job(sweep, self._settings, suspend=suspend)
        return await self._apply(RAY_JOBS, manifest, sweep, expected=expected)

    async def free(self, sweep: TuningSweep) -> Manifest | None:
        """Take the cluster of an ended sweep away; the RayJob, None if that went too."""
        if sweep.queue is None:
            manifest = build_ray_job(sweep, self._settings, suspend=True)
            return await self._apply(RAY_JOBS, manifest, sweep, expected=True)
        await self._give_back(sweep, await self._find(RAY_JOBS, sweep, "RayJob", sweep.metadata.name))
        return None

    async def _bring_queued_ray_job(self, sweep: TuningSweep) -> Manifest | None:
        """In a queue, `suspend` of the RayJob is Kueue's: it is made suspended, and left alone while Kueue lets it run.

        Kueue evicts a job whose pods change under it, and its own additions to them would be lost to an apply.
        """
        live = await self._find(RAY_JOBS, sweep, "RayJob", sweep.metadata.name)
        if sweep.spec.suspend:
            await self._give_back(sweep, live)
            return None
        if live is not None and (live["metadata"].get("deletionTimestamp") or not live["spec"].get("suspend")):
            return live
        wanted = build_ray_job(sweep, self._settings, suspend=True)
        if live is None:
            return await self._kube.apply(RAY_JOBS, wanted)
        if contains(live, wanted):
            return live
        # Kueue may let it run at this very moment: then this is refused (409) and tried again with what is there then.
        wanted["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"]
        return await self._kube.apply(RAY_JOBS, wanted)

    async def _give_back(self, sweep: TuningSweep, live: Manifest | None) -> None:
        """Delete the RayJob of a queue: suspended alone, it would keep its quota and Kueue would start it again."""
        if live is not None:
            await self._kube.delete(RAY_JOBS, sweep.metadata.namespace, sweep.metadata.name, live["metadata"]["uid"])

    async def _apply(
        self, resource: Resource, manifest: Manifest, sweep: TuningSweep, *, expected: bool = True, once: bool = False
    ) -> Manifest:
        """Bring an object to its manifest, or only make it if it is not there (`once`)."""
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        existing = await self._find(resource, sweep, kind, name) if expected else None
        if existing is None:
            created = await self._kube.create(resource, manifest)
            if created is not None:
                return created
            existing = await self._find(resource, sweep, kind, name)
        if existing is not None and (once or contains(existing, manifest)):
            return existing
        claims = [] if existing is None else claim_fields(existing)
        if claims:
            await self._kube.change(resource, sweep.metadata.namespace, name, claims)
        return await self._kube.apply(resource, manifest)

    async def _find(self, resource: Resource, sweep: TuningSweep, kind: str, name: str) -> Manifest | None:
        """The object as it is; NameConflictError if it is not the sweep's."""
        existing = await self._kube.get(resource, sweep.metadata.namespace, name)
        if existing is not None and not is_owned_by(existing, sweep.metadata.uid):
            raise NameConflictError(kind, existing, sweep)
        return existing


def _new_secret(sweep: TuningSweep) -> Manifest:
    server_name = f"{sweep.metadata.name}.{sweep.metadata.namespace}.svc"
    key_pair = make_key_pair(server_name, datetime.now(UTC))
    return build_secret(sweep, random_secrets.token_urlsafe(TOKEN_BYTES), key_pair)


def claim_fields(live: Manifest) -> list[Manifest]:
    """The JSON patch that makes fields which we set when we created an object ours by apply, as if we had applied it.

    Creating costs the API server far less than applying, but what an apply leaves out later is taken away only if an
    apply set it: https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
    """
    metadata = live["metadata"]
    entries = enumerate(metadata.get("managedFields", []))
    ours = [number for number, entry in entries if entry.get("manager") == names.FIELD_MANAGER and _is_created(entry)]
    if not ours:
        return []
    unchanged = {"op": "test", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]}
    claims = [
        {"op": "replace", "path": f"/metadata/managedFields/{number}/operation", "value": "Apply"} for number in ours
    ]
    return [unchanged, *claims]


def _is_created(entry: Manifest) -> bool:
    return entry.get("operation") == "Update" and not entry.get("subresource")


def contains(live: object, wanted: object) -> bool:
    """Whether a live object has every field that is wanted; what the API server or others added does not matter."""
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(_has(live, key, value) for key, value in wanted.items())
    if isinstance(wanted, list):
        pairs = isinstance(live, list) and len(live) == len(wanted)
        return pairs and all(contains(a, b) for a, b in zip(live, wanted, strict=True))  # type: ignore[call-overload]
    return live == wanted


def _has(live: dict[str, object], key: str, value: object) -> bool:
    # The API server leaves out empty values on the way in.
    return contains(live[key], value) if key in live else value in ("", {}, [], 0, False)
