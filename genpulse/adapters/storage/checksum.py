"""Checksums that are sent with uploads."""

from collections.abc import Mapping
from urllib.parse import urlsplit

AUTO = "auto"
NONE = "none"
_S3 = frozenset({"s3", "s3a"})


def checksum_options(url: str, options: Mapping[str, str], algorithm: str = AUTO) -> dict[str, str]:
    """The checksum option of an S3 store; empty for other stores.

    `wanted` is `sha256`, `crc64nvme`, `none`, or `auto`: SHA-256 for Amazon's own, which is the one without an
    `endpoint`, and none for others, of which some refuse the header. They compare what they got with the SHA-256
    that each request is signed over. Google's and Azure's stores take none from this client.
    """
    if urlsplit(url).scheme not in _S3:
        return {}
    if algorithm == AUTO:
        algorithm = NONE if options.get("endpoint") else "sha256"
    return {} if algorithm == NONE else {"checksum_algorithm": algorithm}
