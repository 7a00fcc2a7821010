"""Webhook secrets as receivers take them."""

import base64

from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from genpulse.domain.keys.webhook_secret import canonical_secret, new_webhook_secret


@given(st.text(min_size=1).filter(lambda text: not text.startswith("whsec_")))
def test_any_text_has_a_canonical_form_with_one_underscore(text):
    beginning, key = canonical_secret(text).split("_")
    assert beginning == "whsec"
    assert base64.b64decode(key, validate=True) == text.encode()


@given(st.binary(min_size=1))
def test_a_canonical_secret_stays_and_signs_the_same(key):
    secret = f"whsec_{base64.b64encode(key).decode()}"
    assert canonical_secret(secret) == secret
    assert Webhook(canonical_secret(secret))._whsecret == key


def test_new_ones_are_canonical():
    for _ in range(100):
        secret = new_webhook_secret()
        assert canonical_secret(secret) == secret
        assert secret.count("_") == 1
