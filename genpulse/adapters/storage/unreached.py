"""Messages for a store that was not reached, from the text of obstore's error."""

import re

_NOT_TRUSTED = "The certificate of the storage is not trusted:"
_SIGNS = (
    (
        r"CaUsedAsEndEntity",
        f"{_NOT_TRUSTED} it is that of an authority. Give the server one of its own that the authority has signed",
    ),
    (
        r"InvalidCertificate\(\s*UnknownIssuer",
        f"{_NOT_TRUSTED} its authority is unknown here. Name that in SSL_CERT_FILE, or let the system trust it",
    ),
    (
        r"InvalidCertificate\(\s*(Expired|NotValidYet)",
        f"{_NOT_TRUSTED} it is not valid at this time. Renew it, and look at this machine's clock",
    ),
    (
        r"InvalidCertificate\(\s*NotValidForName",
        f"{_NOT_TRUSTED} it is of another name. Let storage.endpoint use a name that is in it",
    ),
    (r"InvalidCertificate\(", f"{_NOT_TRUSTED} something is wrong with it. Look at it with openssl s_client"),
    (
        r"InvalidMessage\(\s*InvalidContentType",
        "The storage has no TLS where storage.endpoint says https://. Write http://, or name its port with TLS",
    ),
    (
        r"\bBadScheme\b",
        "An http:// address of a storage is taken from storage.endpoint, not AWS_ENDPOINT_URL. Set it there",
    ),
    (
        r"kind: ConnectionRefused",
        "Nothing listens where storage.endpoint names the storage. Start it, or mend the address",
    ),
    (
        r'"dns error"',
        "The host of the storage has no address. Look at the name in storage.endpoint, and at the name server",
    ),
)


def why_not_reached(error: Exception) -> str:
    """What happened, and what to do; empty for an error of another kind."""
    text = str(error)
    return next((words for sign, words in _SIGNS if re.search(sign, text)), "")
