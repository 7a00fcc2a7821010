"""Sound as a WAV file."""

import io
import wave

import numpy as np
from numpy.typing import NDArray


def wav_bytes(samples: NDArray[np.float32], rate: int) -> bytes:
    """16-bit PCM from samples between -1.0 and 1.0: one row a channel, or one channel alone."""
    channels = np.atleast_2d(samples)
    pcm = (np.clip(channels, -1.0, 1.0) * 32767.0).round().astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels.shape[0])
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(pcm.T.tobytes())
    return file.getvalue()
