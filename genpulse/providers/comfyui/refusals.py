"""Why ComfyUI does not take a prompt: `{"error": {"type", "message", "details"}, "node_errors": {…}}` with 400.

Captured from a real ComfyUI 0.3.64 (certain).
"""

from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.provider import InvalidInput, ProviderError
from genpulse.provider.http import AnswerLost, Reply

LENGTH = 2_000


def explain(reply: Reply) -> ProviderError | None:
    """A prompt that does not hold is told with 400 and the nodes that do not."""
    if reply.status != 400:
        return None
    try:
        document = reply.document()
    except AnswerLost:
        return None
    words = f"{words_of(document)} {node_errors(document.get('node_errors'))}".strip()
    return InvalidInput(f"ComfyUI does not take the workflow: {words or reply.excerpt()}")


def words_of(document: JsonObject) -> str:
    """The words of an answer's `error`."""
    error = document.get("error")
    return text_of(error.get("message")) if isinstance(error, dict) else text_of(error)


def node_errors(errors: JsonValue) -> str:
    """The errors of each node, without what may be a path of the server."""
    nodes = errors.items() if isinstance(errors, dict) else ()
    lines = [line for node_id, node in nodes if isinstance(node, dict) for line in _lines(node_id, node)]
    return "; ".join(lines)[:LENGTH]


def _lines(node_id: str, node: JsonObject) -> list[str]:
    errors = node.get("errors")
    objects = [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    kind = text_of(node.get("class_type"))
    return [
        f"node {node_id} ({kind}): {text_of(error.get('message'))}: {text_of(error.get('details'))}"
        for error in objects
    ]


def text_of(value: JsonValue) -> str:
    """A text or a number as text; nothing for all else."""
    return str(value)[:LENGTH] if isinstance(value, str | int | float) else ""
