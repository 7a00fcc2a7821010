"""The name that a file of an input gets at a vendor."""

import hashlib
import mimetypes

from genpulse.provider.call import Attachment


def file_name(reference: str, file: Attachment) -> str:
    """A name that is the same for the same reference and tells nothing else of it, with the ending of the type."""
    ending = mimetypes.guess_extension(file.media_type) or ".bin"
    return f"{hashlib.sha256(reference.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}{ending}"
