"""Texts that may refer to an asset, for tests of what notes them."""

from hypothesis import strategies as st

_WAYS = [str, lambda found: found.hex, lambda found: str(found).upper(), lambda found: str(found).title()]
_IDS = st.builds(lambda found, way: way(found), st.uuids(), st.sampled_from(_WAYS))
_DIGITS = st.text("0123456789abcdefABCDEF", min_size=1, max_size=40)
_ODD = st.sampled_from([*'-{} \n"\\/_\u0661é', "--", "asset:", "ASSET:", "urn:uuid:"])
references = st.one_of(
    st.tuples(st.sampled_from(["asset:", "", "Asset:", "asset: "]), _IDS).map("".join),
    st.lists(st.one_of(_IDS, _DIGITS, _ODD), max_size=6).map("".join),
)
"""Such as `attachments.fetch` may be given: many of them refer to something, and others nearly do."""
texts = st.lists(st.one_of(_DIGITS, _ODD, _IDS), max_size=8).map("".join)
"""Such as may stand around it."""
