"""Content-Disposition of assets, by media type."""

EXTENSIONS = {
    "application/json": "json",
    "application/pdf": "pdf",
    "application/zip": "zip",
    "audio/flac": "flac",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/opus": "opus",
    "audio/wav": "wav",
    "image/avif": "avif",
    "image/gif": "gif",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/svg+xml": "svg",
    "image/webp": "webp",
    "model/gltf-binary": "glb",
    "text/html": "html",
    "text/plain": "txt",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
}

_SHOWN = ("image/", "video/", "audio/")
_RUNS_SCRIPTS = "image/svg+xml"


def disposition(media_type: str, name: str) -> str:
    """The Content-Disposition: inline for pictures, sound and video, attachment for all else."""
    kind = "inline" if media_type.startswith(_SHOWN) and media_type != _RUNS_SCRIPTS else "attachment"
    return f'{kind}; filename="{name}.{EXTENSIONS.get(media_type, "bin")}"'
