"""Upload and download of 64 MiB, beside the least that does the same, `cp`, and boto3 on the same S3 server."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench.rounds import Goal, Result, Series, ratio, taking_turns
from bench.stack import ROOT, Stack, address_of
from tests.s3 import BUCKET, S3Server, s3_server

SIZE = 64 << 20
OBJECT = "bench/boto3"
MIB = 1 << 20


def measure(stack: Stack) -> Result:
    """Through files, then through S3."""
    number = iter(range(1_000_000))

    def fresh() -> Path:
        """Other bytes each time: what is stored already is not stored again."""
        path = stack.home / f"file-{next(number)}"
        path.write_bytes(os.urandom(MIB) * (SIZE // MIB))
        return path

    series, memory = _through_files(stack, fresh)
    (stack.home / "s3").mkdir()
    with s3_server(stack.home / "s3", stack.guard) as server:
        series += _through_s3(stack, server, fresh)
    up, down, least, copied, s3_up, s3_down, boto_up, boto_down, relayed = series
    goals = (
        Goal("of read, hash, write and sync, upload", ratio(up, least), 0.7),
        Goal("of cp, upload", ratio(up, copied), None),
        Goal("of cp, download", ratio(down, copied), 0.5),
        Goal("of boto3, upload", ratio(s3_up, boto_up), 1.0),
        Goal("of boto3, download", ratio(s3_down, boto_down), 1.0),
        Goal("of the lean program, download", ratio(s3_down, relayed), None),
        Goal("the lean program, of boto3, download", ratio(relayed, boto_down), None),
        Goal("more memory in the api after all rounds", memory, 64, at_least=False, unit="MiB"),
    )
    note = (
        "The floor of an upload is a program that reads the socket, computes SHA-256, writes and waits for the"
        " disk. cp does other work: it computes no digest and does not wait. What goes to S3 and comes from there"
        " goes through our API as well, so that every byte crosses two connections, and boto3's crosses one. The"
        " lean program is the least that hands on from S3: one route without a framework on the same server, which"
        " asks nobody whose the bytes are and compares nothing."
    )
    return Result("upload and download of 64 MiB", series, goals, note)


def _through_files(stack: Stack, fresh: Callable[[], Path]) -> tuple[tuple[Series, ...], float]:
    floor = [sys.executable, "-m", "bench.peers.upload_floor", str(stack.home)]
    with stack.api() as (url,), stack.process("floor", floor, "listening on") as peer:
        api = stack.child("api")
        peer_url = peer.last_lines.split()[-1]
        turns = {
            **_turns(stack, url, fresh),
            "read, hash, write, sync": lambda: _upload(stack, peer_url, fresh()),
            "cp": lambda: _copy(fresh()),
        }
        before = api.memory_info().rss
        series = taking_turns(turns, stack.size.rounds, "MiB/s")
        return series, (api.memory_info().rss - before) / MIB


def _upload(stack: Stack, url: str, path: Path) -> float:
    return SIZE / MIB / stack.load("files", url, str(path))["upload_s"]


def _turns(stack: Stack, url: str, fresh: Callable[[], Path], where: str = "") -> dict[str, Callable[[], float]]:
    return _both_ways("", where, lambda: stack.load("files", url, str(fresh())))


def _both_ways(who: str, where: str, run: Callable[[], dict[str, float]]) -> dict[str, Callable[[], float]]:
    """Upload runs both, and download tells what the run that went before it saw."""
    times: dict[str, float] = {}

    def upload() -> float:
        times.update(run())
        return SIZE / MIB / times["upload_s"]

    return {f"{who}upload{where}": upload, f"{who}download{where}": lambda: SIZE / MIB / times["download_s"]}


def _copy(path: Path) -> float:
    began = time.perf_counter()
    subprocess.run(["cp", path, path.with_suffix(".copy")], check=True)
    took = time.perf_counter() - began
    path.with_suffix(".copy").unlink()
    return SIZE / MIB / took


def _through_s3(stack: Stack, server: S3Server, fresh: Callable[[], Path]) -> tuple[Series, ...]:
    program = [Path(sys.prefix) / "boto3" / "bin" / "python", ROOT / "bench" / "peers" / "boto3_files.py"]

    def boto3() -> dict[str, float]:
        words = [*program, fresh(), server.endpoint, server.key, server.secret, BUCKET, OBJECT]
        found: dict[str, float] = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
        return found

    lean = [sys.executable, "-m", "bench.peers.lean_files", BUCKET, json.dumps(server.options)]
    environment = {"GENPULSE_STORAGE__URL": f"s3://{BUCKET}/bench"}
    environment |= {f"GENPULSE_STORAGE__{name.upper()}": value for name, value in server.options.items()}
    with stack.api(environment=environment) as (url,), stack.process("lean", lean, "Uvicorn running") as peer:
        # What boto3 has uploaded in the same round.
        address = f"{address_of(peer)}/{OBJECT}"
        measures = {
            **_turns(stack, url, fresh, ", S3"),
            **_both_ways("boto3 ", "", boto3),
            "lean program download": lambda: SIZE / MIB / stack.load("files", address)["download_s"],
        }
        return taking_turns(measures, stack.size.rounds, "MiB/s")
