"""The same order as a program would make it: with curl, in Python and in JavaScript."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from genpulse.domain.json.value import JsonObject
from genpulse.domain.task import Task


@dataclass(frozen=True, slots=True)
class Examples:
    """The order in three languages. Each reads the API key from GENPULSE_API_KEY."""

    curl: str
    python: str
    javascript: str


def examples_for(base_url: str, task: Task) -> Examples:
    """How a task of this model and input is submitted at `base_url`."""
    return examples_of(base_url, task.model, task.kind, task.input, task.metadata)


def examples_of(
    base_url: str, model: str, kind: str, document: JsonObject, metadata: Mapping[str, str]
) -> Examples:
    """The same for an order that is no task yet."""
    order: dict[str, object] = {"model": model, "kind": kind, "input": document}
    if metadata:
        order["metadata"] = dict(metadata)
    body = json.dumps(order, indent=2, ensure_ascii=False)
    curl = (
        f"curl {shlex.quote(f'{base_url}/v1/tasks')} \\\n"
        '  -H "Authorization: Bearer $GENPULSE_API_KEY" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(body)}"
    )
    metadata_line = f"    metadata={dict(metadata)!r},\n" if metadata else ""
    python = (
        "import os\n\nfrom genpulse_client import GenPulse\n\n"
        f"client = GenPulse({base_url!r}, api_key=os.environ.get('GENPULSE_API_KEY'))\n"
        f"task = client.submit(\n    {model!r},\n    {document!r},\n    kind={kind!r},\n{metadata_line})\n"
        "print(client.wait(task).outputs)\n"
    )
    javascript = (
        f"const response = await fetch({json.dumps(f'{base_url}/v1/tasks')}, {{\n"
        '  method: "POST",\n'
        "  headers: {\n"
        "    Authorization: `Bearer ${process.env.GENPULSE_API_KEY}`,\n"
        '    "Content-Type": "application/json",\n'
        "  },\n"
        f"  body: JSON.stringify({body}),\n"
        "});\nconsole.log(await response.json());\n"
    )
    return Examples(curl, python, javascript)
