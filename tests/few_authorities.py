"""What processes of tests trust: to read the authorities of the world takes 15 ms for each client."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import certifi
import pytest

from tests.certificates import write_certificate


@contextmanager
def few_authorities(folder: Path) -> Iterator[None]:
    """In the body, whoever trusts the authorities of the system trusts one that has signed nothing else."""
    bundle = write_certificate(folder / "authorities.pem", subject="an authority of nobody")
    with pytest.MonkeyPatch.context() as variables:
        variables.setenv("SSL_CERT_FILE", str(bundle))
        # httpx asks certifi where it is to heed no variable.
        variables.setattr(certifi, "where", lambda: str(bundle))
        yield
