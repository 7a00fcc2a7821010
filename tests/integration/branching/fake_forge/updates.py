"""The `update` hook of the forge's repository: its script asks this process, and no push starts an interpreter."""

import shutil
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.integration.branching.fake_forge import rules
from tests.integration.branching.fake_forge.rules import NOTHING, Change

PORT_FILE = "update-port"
SCRIPT = f"""#!{shutil.which("bash")}
exec 3<>"/dev/tcp/127.0.0.1/$(<{PORT_FILE})" || exit 1
printf '%s\\0' "$FORGE_ACTOR" "$@" >&3
IFS= read -r -d '' why <&3 || {{ echo "the forge did not answer" >&2; exit 1; }}
[ -z "$why" ] || {{ echo "remote rejected: $why" >&2; exit 1; }}
"""
"""Said are an actor, a ref, its old and its new commit, each with a NUL; the answer is why not, and a NUL."""


@contextmanager
def answered(forge) -> Iterator[None]:
    """The hook has somebody to ask, until the block's end."""
    with _Updates(("127.0.0.1", 0), _Handler) as server:
        server.forge = forge
        (forge.bare / PORT_FILE).write_text(str(server.server_address[1]))
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()


class _Updates(socketserver.ThreadingTCPServer):
    daemon_threads = True


class _Handler(socketserver.StreamRequestHandler):
    def handle(self):
        actor, ref, old, new = (self._word() for _ in range(4))
        forge = self.server.forge
        forced = NOTHING not in {old, new} and rules.is_rewritten(forge.bare, old, new)
        change = Change(ref, old, new, forced=forced)
        why = rules.refused(forge.documents, forge.kind, forge.roles.get(actor, ""), change)
        self.wfile.write(f"{why}\0".encode())

    def _word(self):
        word = bytearray()
        while (byte := self.rfile.read(1)) != b"\0":
            assert byte, "the hook said less than it has to"
            word += byte
        return word.decode()
