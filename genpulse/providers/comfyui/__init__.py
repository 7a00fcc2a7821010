"""ComfyUI: any workflow in API format, and workflows that are registered as models of their own.

HTTP and WebSocket: captured from a real ComfyUI 0.3.64 (certain). Workflows lie in a folder, `name.json` with a
small `name.yaml` beside it, and are offered as `comfyui/name`. What `/object_info` says of their nodes lies there
too.
"""

from pathlib import Path

from genpulse.domain.kind import by_source
from genpulse.provider import AnyModel, Input, Model, Provider, ProviderSettings
from genpulse.provider.passthrough import KINDS
from genpulse.providers.comfyui.engine import Prompts
from genpulse.providers.comfyui.folder import FREE, read_folder
from genpulse.providers.comfyui.nodes import Nodes, keep
from genpulse.providers.comfyui.servers import Servers
from genpulse.providers.comfyui.workflow import AnyWorkflow, Workflow

BASE_URL = "http://127.0.0.1:8188"
FOLDER = "workflows"
_FREE_WORDS = "A workflow in API format."


def provider(settings: ProviderSettings) -> Provider:
    """The plug-in. `base_url` may name several servers, separated by commas; `options.workflows` is the folder.

    With `options.any_workflow: false` callers may use registered workflows alone: a workflow of their own can do
    whatever the server's nodes can.
    """
    urls = [url.strip().rstrip("/") for url in (settings.base_url or BASE_URL).split(",") if url.strip()]
    headers = {"X-API-Key": settings.api_key} if settings.api_key else {}
    servers = Servers(settings.http, urls, headers, settings.allowed_hosts)
    folder = Path(str(settings.options.get("workflows") or FOLDER))
    workflow_folder = read_folder(folder)
    models = [_model(servers, workflow) for workflow in workflow_folder.workflows]
    free = Model(
        FREE, KINDS, AnyWorkflow, Prompts(servers, nodes=workflow_folder.nodes), "Any workflow", _FREE_WORDS
    )

    async def learn() -> str:
        names = read_folder(folder).classes
        if not names:
            return f"no workflow with an input lies in {folder}: there is nothing to learn"
        info = Nodes(await servers.object_info()).only(names)
        unknown = f"; no server knows {', '.join(sorted(names - set(info)))}" if names - set(info) else ""
        return f"{len(info)} classes of nodes are described in {keep(folder, info)} now{unknown}"

    open_to_all = settings.options.get("any_workflow") is not False
    return Provider(
        "comfyui",
        (*models, free) if open_to_all else tuple(models),
        close=servers.close,
        title="ComfyUI",
        configured=settings.base_url is not None,
        needs=(),
        probe=servers.probe,
        learn=learn,
        left_out=workflow_folder.faults,
    )


def _model(servers: Servers, workflow: Workflow) -> AnyModel:
    engine = Prompts(servers, workflow)
    pictures = [socket.name for socket in workflow.sockets if socket.kind == "image"]

    def decide_kind(input_: Input) -> str | None:
        from_media = any(getattr(input_, name, None) for name in pictures)
        return by_source(workflow.kinds, from_media=from_media)

    return Model(
        workflow.name,
        workflow.kinds,
        workflow.input,
        engine,
        workflow.title,
        workflow.description,
        decide_kind=decide_kind,
    )
