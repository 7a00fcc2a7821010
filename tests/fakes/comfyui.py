"""A ComfyUI, as a real one was captured (`comfyui_captures/`): prompts, queue, history, files, WebSocket."""

import asyncio
import json
from pathlib import Path
from typing import ClassVar

from aiohttp import web

from genpulse.testing import FakeServer, Phase, Situation

ODD_NODES = {
    "5": None,
    "6": {"text": "a red fox"},
    "7": {"text": None, "images": None},
    "8": {"images": [None, 3, {"filename": None}], "gifs": {}},
    "9": [],
}
"""What nodes of others have been seen to show, beside what ComfyUI's own do."""
CAPTURES = Path(__file__).parent / "comfyui_captures"


def captured(name: str) -> dict:
    """What a real server answered."""
    return json.loads((CAPTURES / f"{name}.json").read_text())


class FakeComfyUI(FakeServer):
    phases: ClassVar = {"prompt": Phase.ORDER, "queue": Phase.POLL, "history": Phase.POLL, "delete": Phase.CANCEL}

    def __init__(self) -> None:
        super().__init__()
        self.prompts: dict[str, dict] = {}
        self._earlier: frozenset[str] = frozenset()
        self.deleted: list[str] = []
        self.interrupted: list[str] = []
        self.uploads: dict[str, bytes] = {}
        self.others: list[str] = []
        self.sockets: list[web.WebSocketResponse] = []
        self.cut_sockets = False
        self.sends_frames = False

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post("/prompt", self.prompt)
        app.router.add_get("/queue", self.queue)
        app.router.add_post("/queue", self.delete)
        app.router.add_post("/interrupt", self.interrupt)
        app.router.add_get("/history/{id}", self.history)
        app.router.add_get("/view", self.output)
        app.router.add_post("/upload/image", self.upload)
        app.router.add_get("/system_stats", self.stats)
        app.router.add_get("/object_info", self.object_info)
        app.router.add_get("/ws", self.socket)

    async def prompt(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        match self.situation:
            case Situation.INVALID:
                return web.json_response(captured("post_prompt_missing_model")["body"], status=400)
        answer = {"prompt_id": body["prompt_id"], "number": len(self.prompts), "node_errors": {}}
        self.prompts[body["prompt_id"]] = body
        if any(node["inputs"].get("width") == -1 for node in body["prompt"].values()):
            # HTTP 200 though a part of it does not hold.
            answer["node_errors"] = captured("post_prompt_partly_invalid_200")["body"]["node_errors"]
            return web.json_response(answer)
        await self._tell(body["prompt_id"], body["prompt"])
        return web.json_response(answer)

    def phase_of(self, request: web.Request) -> Phase | None:
        """The queue is asked before an order, too."""
        phase = super().phase_of(request)
        is_before = request.path == "/queue" and not set(self.prompts) - self._earlier
        return None if is_before and phase is Phase.POLL else phase

    def be(self, situation: Situation) -> None:
        super().be(situation)
        self._earlier = frozenset(self.prompts)

    def refusal(self, status: int, words: str) -> web.Response:
        """`error` of a type, and the nodes that do not fit [R]."""
        error = {"type": "odd", "message": words, "details": "", "extra_info": {}}
        return web.json_response({"error": error, "node_errors": {}}, status=status)

    async def _tell(self, prompt_id: str, graph: dict) -> None:
        """What the socket says while a prompt runs; the first node is half done."""
        first = next(iter(graph))
        nodes = {first: {"value": 1.0, "max": 2.0, "state": "running", "node_id": first}}
        events = [
            {"type": "execution_cached", "data": {"nodes": [], "prompt_id": prompt_id}},
            {"type": "executing", "data": {"node": first, "prompt_id": prompt_id}},
            {"type": "progress_state", "data": {"prompt_id": prompt_id, "nodes": nodes}},
        ]
        for socket in [socket for socket in self.sockets if not socket.closed]:
            for event in events:
                await socket.send_json(event)
            if self.sends_frames:
                await socket.send_bytes((CAPTURES / "ws_binary_frame.bin").read_bytes())
            if self.cut_sockets:
                await socket.close()

    def _running(self) -> list[str]:
        gone = {*self.deleted, *self.interrupted}
        return [
            prompt_id for prompt_id in self.prompts if prompt_id not in gone and not self._has_ended(prompt_id)
        ]

    def _has_ended(self, prompt_id: str) -> bool:
        if self.situation is Situation.SLOW:
            return False
        return self._left.get(f"polled {prompt_id}", 1) <= 0

    async def queue(self, _: web.Request) -> web.StreamResponse:
        rows = [[number, one, {}, {}, []] for number, one in enumerate([*self.others, *self._running()])]
        return web.json_response({"queue_running": rows[:1], "queue_pending": rows[1:]})

    async def delete(self, request: web.Request) -> web.StreamResponse:
        waiting = [*self.others, *self._running()][1:]
        for one in (await request.json())["delete"]:
            if one in waiting:
                self.deleted.append(one)
                self.canceled += 1
        return web.Response()

    async def interrupt(self, request: web.Request) -> web.StreamResponse:
        prompt_id = (await request.json())["prompt_id"]
        self.interrupted.append(prompt_id)
        self.canceled += 1
        return web.Response()

    async def history(self, request: web.Request) -> web.StreamResponse:
        prompt_id = request.match_info["id"]
        known = prompt_id in self.prompts and prompt_id not in self.deleted
        if not known or self.situation is Situation.SLOW or self.times(f"polled {prompt_id}", 1):
            return web.json_response({})
        self.tell_done(prompt_id)
        return web.json_response({prompt_id: self._entry(prompt_id)})

    def _entry(self, prompt_id: str) -> dict:
        name = "get_history_runtime_error" if self.situation is Situation.JOB_FAILED else "get_history_id_ok"
        (entry,) = captured(name)["body"].values()
        if self.situation is Situation.NO_OUTPUT or self.sends_frames:
            return {**entry, "outputs": {}}
        if self.situation is Situation.PARTIAL_OUTPUT:
            picture = {"filename": "t_00001_.png", "subfolder": "genpulse", "type": "output"}
            return {**entry, "outputs": {"4": {"images": [picture, {**picture, "filename": "gone.png"}]}}}
        if self.situation is Situation.ODD_SHAPES:
            return {**entry, "outputs": {**entry["outputs"], **ODD_NODES}}
        if prompt_id in self.interrupted:
            (entry,) = captured("get_history_interrupted")["body"].values()
        return entry

    async def upload(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        self.uploads[str(form["subfolder"])] = form["image"].file.read()
        return web.json_response({"name": "up.png", "subfolder": str(form["subfolder"]), "type": "input"})

    async def stats(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(captured("get_system_stats")["body"])

    async def object_info(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(captured("object_info_excerpt")["body"])

    async def socket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        await socket.send_json({"type": "status", "data": {"status": {"exec_info": {"queue_remaining": 0}}}})
        async for _ in socket:
            await asyncio.sleep(0)
        return socket

    def notice(self, _: object) -> None:
        raise AssertionError("ComfyUI tells nothing")
