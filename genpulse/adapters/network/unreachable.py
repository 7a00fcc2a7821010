"""Messages for servers that cannot be reached."""

import socket
import ssl

_AUTHORITY = frozenset({18, 19, 20, 21})
_EXPIRED, _NOT_YET, _HOST, _ADDRESS = 10, 9, 62, 64
"""What OpenSSL calls the ways in which a certificate is not trusted (`X509_V_ERR_…`)."""


def why_not_reached(error: BaseException, server: str, setting: str) -> str:
    """A sentence about the connection itself; empty where it was made, or where nothing more is known.

    `setting` is the variable that names the server.
    """
    for each in _causes(error):
        match each:
            case ssl.SSLCertVerificationError():
                return f"The certificate of {server} is not trusted: {_of_certificate(each)} ({setting})."
            case ssl.SSLError():
                why = getattr(each, "reason", None) or each
                return f"No TLS with {server}: {why}. Does that port speak TLS ({setting})?"
            case socket.gaierror():
                return (
                    f"The host of {server} has no address: look at the name in {setting}, and at the name server."
                )
            case ConnectionRefusedError():
                return f"Nothing listens where {setting} names {server}: start it, or mend the address."
    return ""


def _of_certificate(error: ssl.SSLCertVerificationError) -> str:
    match error.verify_code:
        case code if code in _AUTHORITY:
            return (
                f"{error.verify_message}. Name the authority that has signed it (sslrootcert=, ssl_ca_certs=), or"
                " let the system trust it"
            )
        case code if code in {_EXPIRED, _NOT_YET}:
            return f"{error.verify_message}. Renew it, and look at this machine's clock"
        case code if code in {_HOST, _ADDRESS}:
            return f"{error.verify_message} Use a name that is in it"
        case _:
            return error.verify_message


def _causes(error: BaseException) -> list[BaseException]:
    """The error and what it came from."""
    causes: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in causes:
        causes.append(current)
        current = current.__cause__ or current.__context__
    return causes
