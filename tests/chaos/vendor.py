"""A vendor that misbehaves: a real HTTP server, which counts what it was asked for.

python -m tests.chaos.vendor PORT SEED
"""

import asyncio
import sys
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field

from aiohttp import web

from tests.chaos.behaviour import Fault, fault_of, lasts_s


def content_of(number: int) -> bytes:
    """What the job of this task makes."""
    return f"made for task {number}\n".encode() * 20


@dataclass
class _Job:
    number: int
    reference: str
    done_at: float


@dataclass
class Vendor:
    """Takes jobs. `accepted` and `refused` count submissions by task."""

    seed: int
    jobs: dict[str, _Job] = field(default_factory=dict)
    by_reference: dict[str, str] = field(default_factory=dict)
    accepted: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    canceled: int = 0
    seen: Counter[tuple[str, int]] = field(default_factory=Counter)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/jobs", self.submit)
        app.router.add_get("/jobs", self.find)
        app.router.add_get("/jobs/{id}", self.show)
        app.router.add_delete("/jobs/{id}", self.cancel)
        app.router.add_get("/jobs/{id}/output", self.output)
        app.router.add_get("/ledger", self.ledger)
        return app

    def once(self, what: str, number: int, times: int = 1) -> bool:
        """True for the first `times` times."""
        self.seen[what, number] += 1
        return self.seen[what, number] <= times

    async def submit(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        number, task = body["number"], body["task"]
        fault = fault_of(self.seed, number)
        if fault in {Fault.FULL, Fault.BUSY} and self.once("refused", number):
            self.refused[task] += 1
            if fault is Fault.FULL:
                return web.Response(status=503, headers={"X-Accepted": "no"})
            return web.Response(status=429, headers={"Retry-After": "1"})
        job_id = uuid.uuid4().hex
        self.jobs[job_id] = _Job(number, body["reference"], time.monotonic() + lasts_s(self.seed, number))
        self.by_reference[body["reference"]] = job_id
        self.accepted[task] += 1
        return await self._answer(request, fault, job_id)

    async def _answer(self, request: web.Request, fault: Fault, job_id: str) -> web.StreamResponse:
        match fault:
            case Fault.LOST:
                _drop(request)
            case Fault.HANG:
                await asyncio.sleep(60)
            case Fault.BROKEN:
                return web.Response(status=500, text="<html>Internal Server Error</html>")
            case Fault.GARBLED:
                return web.Response(text=f'{{"id": "{job_id[:9]}', content_type="application/json")
        return web.json_response({"id": job_id}, status=201)

    async def find(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"id": self.by_reference.get(request.query["reference"])})

    async def show(self, request: web.Request) -> web.StreamResponse:
        job = self.jobs.get(request.match_info["id"])
        if job is None:
            return web.Response(status=404, text="no such job")
        fault = fault_of(self.seed, job.number)
        if fault is Fault.POLL_DROPPED and self.once("dropped", job.number, 2):
            _drop(request)
        if fault is Fault.POLL_GARBLED and self.once("garbled", job.number, 2):
            return web.Response(text="<html>welcome</html>", content_type="text/html")
        if time.monotonic() < job.done_at:
            return web.json_response({"status": "working", "progress": 0.5})
        return web.json_response({"status": "failed" if fault is Fault.FAILED else "done", "progress": 1})

    async def output(self, request: web.Request) -> web.StreamResponse:
        job = self.jobs[request.match_info["id"]]
        content = content_of(job.number)
        if fault_of(self.seed, job.number) is Fault.OUTPUT_DROPPED and self.once("output", job.number):
            response = web.StreamResponse(headers={"Content-Length": str(len(content))})
            await response.prepare(request)
            await response.write(content[:30])
            _drop(request)
            return response
        return web.Response(body=content)

    async def cancel(self, request: web.Request) -> web.StreamResponse:
        self.canceled += 1
        return web.json_response({"id": request.match_info["id"]})

    async def ledger(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"accepted": self.accepted, "refused": self.refused, "jobs": len(self.jobs)})


def _drop(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


if __name__ == "__main__":
    web.run_app(Vendor(int(sys.argv[2])).app(), host="127.0.0.1", port=int(sys.argv[1]), print=None)
