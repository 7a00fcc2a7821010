"""Seeds of workflows, drawn where a caller gives none."""

from hashlib import blake2b
from uuid import UUID

from genpulse.providers.comfyui.workflow import Socket

LARGEST = 2**32 - 1
"""Every node takes it; what ComfyUI says of a node may allow more."""
_LONGEST = 2**64 - 1


def drawn_seed(socket: Socket, task_id: UUID) -> int:
    """A seed within the socket's range. Every attempt of a task draws the same one."""
    low = int(socket.minimum or 0)
    high = LARGEST if socket.maximum is None else min(int(socket.maximum), _LONGEST)
    drawn = blake2b(f"{task_id}/{socket.name}".encode(), digest_size=16).digest()
    return low + int.from_bytes(drawn) % (max(high - low, 0) + 1)
