"""Signatures of addresses by which files are brought: every byte counts, and nothing else is taken for one."""

from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from genpulse.api.auth.signed_urls import UrlSigner
from genpulse.api.auth.upload_signer import UploadSigner
from genpulse.api.errors import InvalidSignature, UrlExpired
from genpulse.domain.assets.upload_grant import MEDIA_RANGE, UploadGrant

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
SIGNER = UploadSigner(b"s" * 32)
GRANTS = st.builds(
    UploadGrant,
    asset_id=st.uuids(),
    owner=st.one_of(st.just(""), st.uuids().filter(lambda one: one.int).map(str)),
    max_bytes=st.integers(1, 2**53 - 1),
    expires_s=st.integers(1, 2**37),
    media_type=st.from_regex(MEDIA_RANGE, fullmatch=True).filter(str.isascii),
)


@given(GRANTS)
def test_what_is_granted_comes_back(grant):
    text = SIGNER.write(grant)
    assert set(text) <= set(LETTERS)
    assert SIGNER.read(grant.asset_id, text, grant.expires_s - 1) == grant
    with pytest.raises(UrlExpired):
        SIGNER.read(grant.asset_id, text, grant.expires_s)


@given(GRANTS, st.data())
def test_any_other_text_is_refused(grant, data):
    text = SIGNER.write(grant)
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from(LETTERS + "=+/ \n.é"))
    changed = data.draw(
        st.sampled_from(
            [
                text[:place] + letter + text[place + 1 :],
                text[:place] + letter + text[place:],
                text[:place],
                text[place + 1 :],
                text + "=" * (-len(text) % 4),
                text + letter,
            ]
        )
    )
    assume(changed != text)
    with pytest.raises(InvalidSignature):
        SIGNER.read(grant.asset_id, changed, 0)


@given(st.text(max_size=200) | st.text(LETTERS, max_size=200))
def test_what_nobody_signed_is_refused(text):
    with pytest.raises(InvalidSignature):
        SIGNER.read(UUID(int=7), text, 0)


@given(GRANTS, st.uuids(), st.binary(min_size=1))
def test_it_is_of_one_asset_and_one_secret(grant, other_id, secret):
    assume(other_id != grant.asset_id and secret != SIGNER.secret)
    text = SIGNER.write(grant)
    with pytest.raises(InvalidSignature):
        SIGNER.read(other_id, text, 0)
    with pytest.raises(InvalidSignature):
        UploadSigner(secret).read(grant.asset_id, text, 0)


@given(GRANTS)
def test_signatures_of_files_and_events_are_none_of_uploads(grant):
    urls = UrlSigner(SIGNER.secret, 600)
    for query in (urls.query(grant.asset_id, 0), urls.events_query(grant.asset_id, 0)):
        with pytest.raises(InvalidSignature):
            SIGNER.read(grant.asset_id, query.partition("signature=")[2], 0)
    for check in (urls.check, urls.check_events):
        with pytest.raises(InvalidSignature):
            check(grant.asset_id, str(grant.expires_s), SIGNER.write(grant), 0)
