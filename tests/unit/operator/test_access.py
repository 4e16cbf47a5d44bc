"""A sweep's Secret is made once, with a key pair of its own, and says what a client needs to trust its driver."""

import ssl
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from cryptography import x509

from support.sweeps import sweep_manifest
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_operator.access import ControlAccess
from tuningsweep_operator.builders.secret import build_secret
from tuningsweep_operator.certificates import make_key_pair
from tuningsweep_operator.kube import Kube
from tuningsweep_operator.owned import NameConflictError, OwnedObjects
from tuningsweep_operator.settings import Settings

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SWEEP = TuningSweep.from_manifest(sweep_manifest(metadata__namespace="team", metadata__uid="1"))


def encoded(**values: str) -> dict[str, Any]:
    return {"data": {key.replace("_", "."): b64encode(value.encode()).decode() for key, value in values.items()}}


def test_the_certificate_is_the_sweeps_alone_and_outlives_it() -> None:
    pair = make_key_pair("a.team.svc", NOW)
    certificate = x509.load_pem_x509_certificate(pair.certificate.encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["a.team.svc"]
    assert certificate.not_valid_before_utc <= NOW - timedelta(hours=1)
    assert certificate.not_valid_after_utc > NOW + timedelta(days=3000)
    assert make_key_pair("a.team.svc", NOW).private_key != pair.private_key
    assert "PRIVATE" not in repr(pair)


def test_a_client_trusts_the_certificate_of_the_secret_and_no_other() -> None:
    pair, other = make_key_pair("a.team.svc", NOW), make_key_pair("a.team.svc", NOW)
    access = ControlAccess.from_secret(build_secret(SWEEP, "the-token", pair))
    assert access is not None
    assert (access.token, access.scheme) == ("the-token", "https")
    assert access.trusts(ssl.PEM_cert_to_DER_cert(pair.certificate))
    assert not access.trusts(ssl.PEM_cert_to_DER_cert(other.certificate))
    assert not access.trusts(None)
    assert "the-token" not in repr(access)


def test_a_secret_of_an_operator_that_knew_no_tls_means_plain_http() -> None:
    access = ControlAccess.from_secret(encoded(token="t"))
    assert access == ControlAccess("t", None)
    assert access.scheme == "http"
    assert not access.trusts(b"any")


@pytest.mark.parametrize("secret", [{}, {"data": None}, encoded(tls_crt="x"), encoded(token="t", tls_crt="no PEM")])
def test_a_secret_that_someone_has_emptied_or_spoilt_gives_no_access(secret: dict[str, Any]) -> None:
    assert ControlAccess.from_secret(secret) is None


class Secrets:
    """The part of Kube that Secrets take."""

    def __init__(self, secret: dict[str, Any] | None = None) -> None:
        self.secret, self.writes = secret, 0

    async def get(self, *_: object) -> dict[str, Any] | None:
        return self.secret

    async def create(self, _: object, manifest: dict[str, Any]) -> dict[str, Any]:
        self.secret, self.writes = manifest, self.writes + 1
        return manifest

    async def apply(self, _: object, manifest: dict[str, Any]) -> dict[str, Any]:
        return await self.create(_, manifest)


async def access_of(secrets: Secrets) -> ControlAccess:
    return await OwnedObjects(cast("Kube", secrets), Settings()).ensure_access(SWEEP)


async def test_the_secret_is_made_on_first_need_and_never_again() -> None:
    secrets = Secrets()
    first = await access_of(secrets)
    assert first.scheme == "https"
    assert await access_of(secrets) == first
    assert secrets.writes == 1


async def test_an_older_operators_secret_is_left_as_it_is() -> None:
    secrets = Secrets({**build_secret(SWEEP, "", make_key_pair("a", NOW)), **encoded(token="old")})
    assert await access_of(secrets) == ControlAccess("old", None)
    assert secrets.writes == 0


async def test_a_spoilt_secret_is_made_anew_and_a_foreign_one_left_alone() -> None:
    spoilt = Secrets({**build_secret(SWEEP, "", make_key_pair("a", NOW)), "data": {}})
    assert (await access_of(spoilt)).scheme == "https"
    assert spoilt.writes == 1
    foreign = Secrets({"metadata": {"name": "digits-svm-control"}, **encoded(token="theirs")})
    with pytest.raises(NameConflictError, match="delete or rename it, or rename the sweep"):
        await access_of(foreign)
    assert foreign.writes == 0


async def test_what_a_deleted_sweep_of_the_name_left_goes_by_itself() -> None:
    owner = {"kind": "TuningSweep", "name": "digits-svm", "uid": "an-earlier-one"}
    left = Secrets({"metadata": {"name": "digits-svm-control", "ownerReferences": [owner]}, **encoded(token="theirs")})
    with pytest.raises(
        NameConflictError, match="of an earlier sweep digits-svm, which was deleted; this one starts once"
    ):
        await access_of(left)
