"""Notices are believed by their signature alone, and no odd word of a vendor about its keys is our error."""

import base64
import hashlib
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from genpulse.provider import Callback, ProviderSettings
from genpulse.providers import fal, openai_compatible, replicate
from genpulse.testing import NoticeKind
from tests.fakes.replicate import SECRET, FakeReplicate
from tests.integration.providers.scripted import Scripted, Told, engine_of

SIGNER = Ed25519PrivateKey.generate()
PUBLIC = (
    base64.urlsafe_b64encode(SIGNER.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode().rstrip("=")
)
BODY = b'{"request_id": "r"}'


@pytest.fixture
async def vendor() -> AsyncIterator[Scripted]:
    async with Scripted().running() as scripted:
        yield scripted


def signed(moment: str) -> Callback:
    message = "\n".join(("r", "u", moment, hashlib.sha256(BODY).hexdigest())).encode()
    headers = {
        "x-fal-webhook-request-id": "r",
        "x-fal-webhook-user-id": "u",
        "x-fal-webhook-timestamp": moment,
        "x-fal-webhook-signature": SIGNER.sign(message).hex(),
    }
    return Callback(headers, BODY)


def fal_engine(vendor: Scripted) -> Any:
    return engine_of(
        fal.provider(vendor.settings(options={"jwks_url": f"{vendor.base_url}/jwks"})), "fal-ai/flux/dev"
    )


@pytest.mark.parametrize(
    "keys",
    [
        [{"x": PUBLIC}],
        [
            None,
            7,
            {},
            {"x": None},
            {"x": 7},
            {"x": ""},
            {"x": "%%"},
            {"x": "ü"},
            {"x": "aGk"},
            {"x": "a"},
            {"x": PUBLIC},
        ],
    ],
)
async def test_a_key_that_is_none_hides_no_other(vendor, keys):
    vendor.always({"keys": keys})
    assert await fal_engine(vendor).is_authentic(signed(str(int(time.time()))))


@pytest.mark.parametrize("told", [{}, {"keys": None}, {"keys": {"x": PUBLIC}}, [], b"<html/>", b"[" * 10_000, b""])
async def test_without_keys_nobody_is_believed(vendor, told):
    vendor.always(told)
    assert not await fal_engine(vendor).is_authentic(signed(str(int(time.time()))))


@pytest.mark.parametrize("moment", ["nan", "inf", "-inf", "0", "soon", "", "1e400"])
async def test_a_notice_of_no_time_is_not_believed(vendor, moment):
    vendor.always({"keys": [{"x": PUBLIC}]})
    assert not await fal_engine(vendor).is_authentic(signed(moment))


@pytest.mark.parametrize(
    "first", [{}, {"key": None}, {"key": 7}, {"key": ""}, [], b"<html/>", {"key": "whsec_%%"}]
)
async def test_replicates_secret_is_asked_for_again_until_it_is_told(vendor, first):
    told = iter([Told(first), Told({"key": SECRET}), Told({"key": SECRET})])
    vendor.answer = lambda _: next(told)
    engine = engine_of(replicate.provider(vendor.settings()), "acme/flux")
    notice = FakeReplicate().notice(NoticeKind.GOOD)
    assert not await engine.is_authentic(notice)
    assert await engine.is_authentic(notice)


@pytest.mark.parametrize("secret", ["whsec_", "whsec_%%", "whsec_a", "="])
def test_a_secret_of_an_operator_that_is_none_is_named(secret):
    for build, name in ((replicate.provider, "replicate"), (openai_compatible.provider, "hub")):
        options = {"webhook_secret": secret}
        with pytest.raises(ValueError, match="whsec_ and something in base64"):
            build(ProviderSettings("k", "http://h/v1", options, models={"gpt": "background"}, name=name))
