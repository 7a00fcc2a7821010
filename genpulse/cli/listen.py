"""`genpulse listen`: a receiver of webhooks for those who develop."""

import asyncio
import json
import signal

import click
from aiohttp import web
from rich.text import Text
from standardwebhooks import Webhook, WebhookVerificationError

from genpulse import config
from genpulse.cli.output.console import console
from genpulse.cli.output.terminal import say, say_json_line
from genpulse.dev.processes.ports import LOOPBACK, claim, free_port
from genpulse.domain.text.storable import showable_line

_LARGEST = 32 << 20
_COLOURS = {"task.succeeded": "green", "task.failed": "red", "task.canceled": "yellow"}


@click.command("listen")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on. Default: a free one.")
@click.option("--status", type=click.IntRange(200, 599), default=204, show_default=True, help="What to answer.")
@click.option("--json", "as_json", is_flag=True, help="Print each message as a line of JSON.")
def command(port: int | None, status: int, as_json: bool) -> None:
    """Receive webhooks here and print them, until Ctrl-C.

    Submit a task with the address that is printed as its webhook_url. Signatures are verified with
    webhooks.secret when it is set. With --status 500 messages are refused, so that they come again.
    """
    secret = config.load(require=()).webhooks.secret
    port = claim(port, LOOPBACK, command="genpulse listen") if port else free_port()
    key = secret.get_secret_value() if secret else None
    asyncio.run(_listen(port, _Listener(key, status, as_json=as_json)))


class _Listener:
    """Prints what arrives."""

    def __init__(self, secret: str | None, status: int, *, as_json: bool) -> None:
        self._webhook = Webhook(secret if secret.startswith("whsec_") else secret.encode()) if secret else None
        self._status = status
        self._as_json = as_json
        self._console = console()

    async def __call__(self, request: web.Request) -> web.Response:
        """Take one message."""
        body = await request.text()
        headers = {name.lower(): value for name, value in request.headers.items()}
        signed = self._signed(body, headers)
        try:
            message = json.loads(body)
        except ValueError:
            message = body
        if self._as_json:
            say_json_line({"id": headers.get("webhook-id"), "signed": signed, "message": message})
        else:
            self._show(headers.get("webhook-id", "no id"), signed, message)
        return web.Response(status=400 if signed == "wrong" else self._status)

    def _signed(self, body: str, headers: dict[str, str]) -> str:
        """`good`, `wrong`, or `unchecked` when no secret is configured, or the message is of another form."""
        if self._webhook is None or "webhook-id" not in headers:
            return "unchecked"
        try:
            self._webhook.verify(body, headers, json_parse=False)
        except (WebhookVerificationError, ValueError):
            return "wrong"
        return "good"

    def _show(self, message_id: str, signed: str, message: object) -> None:
        kind = str(message.get("type", message.get("status", "?"))) if isinstance(message, dict) else "?"
        task = message.get("data", message) if isinstance(message, dict) else {}
        what = f"{task.get('id', '')} {task.get('model', '')}" if isinstance(task, dict) else ""
        line = Text(f"{showable_line(kind):<15}", style=_COLOURS.get(kind, "white"))
        line.append(f" {showable_line(what)}  {showable_line(message_id)}  signature {signed}", style="default")
        self._console.print(line, soft_wrap=True)


async def _listen(port: int, listener: _Listener) -> None:
    app = web.Application(client_max_size=_LARGEST)
    app.router.add_post("/{path:.*}", listener)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, port).start()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    say(f"Listening at http://{LOOPBACK}:{port}/", err=True)
    await stop.wait()
    await runner.cleanup()
