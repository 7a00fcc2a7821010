"""A gallery: pictures of customers' words, with live progress, and webhooks that tell of their end."""

import json
import os
from pathlib import Path
from typing import Annotated

from fastapi import Depends, FastAPI, Form, HTTPException, Request, Response
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse

from genpulse_client import AsyncGenPulse, GenPulseError, InvalidWebhook, Task, verify_webhook

SECRET = os.environ["WEBHOOK_SECRET"]
HOME = os.environ.get("PUBLIC_URL", "http://127.0.0.1:8100")
genpulse = AsyncGenPulse()  # GENPULSE_URL and GENPULSE_API_KEY
told: set[str] = set()
app = FastAPI()


@app.exception_handler(GenPulseError)
async def refused(_: Request, error: GenPulseError) -> Response:
    return JSONResponse({"detail": str(error)}, error.status or 503)


def customer(request: Request) -> str:
    return request.cookies.get("customer", "anna")  # your own login


async def own(task_id: str, name: Annotated[str, Depends(customer)]) -> Task:
    task = await genpulse.get(task_id)
    if task.metadata.get("customer") != name:
        raise HTTPException(404, "There is no such picture.")
    return task


def shown(task: Task) -> dict[str, object]:
    url = task.outputs[0].url if task.outputs else None
    return {
        "id": task.id,
        "prompt": task.input["prompt"],
        "status": task.status,
        "url": url,
        "told": task.id in told,
    }


@app.get("/")
async def page() -> Response:
    return FileResponse(Path(__file__).with_name("index.html"))


@app.post("/pictures")
async def make(prompt: Annotated[str, Form()], name: Annotated[str, Depends(customer)]) -> dict[str, object]:
    words = {"metadata": {"customer": name}, "webhook_url": f"{HOME}/hooks/genpulse"}
    return shown(await genpulse.submit("sandbox/image", {"prompt": prompt, "width": 1024}, **words))


@app.get("/pictures")
async def gallery(name: Annotated[str, Depends(customer)]) -> list[dict[str, object]]:
    return [shown(task) async for task in genpulse.list(metadata={"customer": name}, limit=24)]


@app.get("/pictures/{task_id}/events")
async def events(task: Annotated[Task, Depends(own)], request: Request) -> Response:
    async def stream():
        async for event in genpulse.watch(task, last_event_id=request.headers.get("last-event-id")):
            data = shown(event.task) if event.task else {"progress": event.progress, "message": event.message}
            yield f"id: {event.id}\ndata: {json.dumps(data)}\n\n"

    return StreamingResponse(stream(), media_type="text/event-stream")


@app.post("/pictures/{task_id}/cancel")
async def cancel(task: Annotated[Task, Depends(own)]) -> dict[str, object]:
    return shown(await genpulse.cancel(task))


@app.post("/hooks/genpulse", status_code=204)
async def hook(request: Request) -> None:
    try:
        message = verify_webhook(await request.body(), request.headers, SECRET)
    except InvalidWebhook as error:
        raise HTTPException(401, str(error)) from error
    told.add(message.task.id)
