"""Real proxies before two APIs, by the files that are documented: only addresses and certificates are replaced."""

import os
import ssl
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from genpulse.dev.processes.ports import free_port
from tests.certificates import write_certificate
from tests.operations.tools import ROOT, path_of

DEPLOY = ROOT / "deploy"
NAMES = ("nginx", "haproxy", "caddy", "traefik")
STOPS_WITHIN_S = 30
_WRITABLE = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
_NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
worker_processes 2;
events {{}}
http {{
{paths}
access_log off;
include {folder}/genpulse.conf;
}}
"""
"""What Debian's own nginx.conf is beside ours, as far as it matters, for a user that may write nowhere else."""


@dataclass(frozen=True)
class Proxy:
    """A proxy that runs: where it is, and whom its certificate is trusted by."""

    name: str
    url: str
    trust: ssl.SSLContext
    process: "subprocess.Popen[bytes]"
    log: Path

    def stop(self):
        self.process.terminate()
        self.process.wait(STOPS_WITHIN_S)


def replaced(text, values: Mapping[str, str]):
    """The text with other words in place of these, each of which has to be there."""
    for word, other in values.items():
        assert word in text, f"{word!r} is not in the file any more"
        text = text.replace(word, other)
    return text


def origin(name, port):
    """Where a proxy is that listens on this port."""
    return f"{'http' if name == 'caddy' else 'https'}://127.0.0.1:{port}"


def start(name, apis, folder, changes: Mapping[str, str] | None = None, port=None) -> Proxy:
    """The proxy of this name before these two APIs; `changes` are what the how-to says to change for a path."""
    folder.mkdir(exist_ok=True)
    port = port or free_port()
    first, second = (url.removeprefix("http://") for url in apis)
    certificate = write_certificate(folder / "server.pem")
    words = {"127.0.0.1:8001": first, "127.0.0.1:8002": second, **(changes or {})}
    command, environment = _STARTS[name](folder, port, certificate, words)
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [path_of(name), *command],
            env={"PATH": os.defpath, "HOME": str(folder), **environment},
            cwd=folder,
            stdout=log,
            stderr=log,
        )
    trust = ssl.create_default_context(cafile=certificate)
    return Proxy(name, origin(name, port), trust, process, folder / "log")


def _nginx(folder, port, certificate, words):
    text = replaced(
        (DEPLOY / "nginx/genpulse.conf").read_text(),
        {
            "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
            "/etc/ssl/genpulse/fullchain.pem": str(certificate),
            "/etc/ssl/genpulse/private.pem": str(certificate),
            **words,
        },
    )
    (folder / "genpulse.conf").write_text(text)
    paths = "\n".join(f"{one}_temp_path {folder}/{one};" for one in _WRITABLE)
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, paths=paths))
    return ("-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "nginx.log")), {}


def _haproxy(folder, port, certificate, words):
    values = {"bind :443": f"bind 127.0.0.1:{port}", "/etc/haproxy/genpulse.pem": str(certificate), **words}
    (folder / "haproxy.cfg").write_text(replaced((DEPLOY / "haproxy/haproxy.cfg").read_text(), values))
    return ("-f", str(folder / "haproxy.cfg")), {}


def _caddy(folder, port, _certificate, words):
    """Without TLS: for that it asks an authority on the internet, which knows the name."""
    first, second, *changes = words.items()
    text = replaced((DEPLOY / "compose/Caddyfile").read_text(), dict(changes))
    (folder / "Caddyfile").write_text(text)
    environment = {"DOMAIN": f"http://127.0.0.1:{port}", "UPSTREAMS": f"{first[1]} {second[1]}"}
    return ("run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")), environment


def _traefik(folder, port, certificate, words):
    values = {
        "media.example.com": "127.0.0.1",
        "/etc/ssl/genpulse/fullchain.pem": str(certificate),
        "/etc/ssl/genpulse/private.pem": str(certificate),
        **words,
    }
    (folder / "genpulse.yaml").write_text(replaced((DEPLOY / "traefik/genpulse.yaml").read_text(), values))
    values = {'":443"': f'"127.0.0.1:{port}"', "/etc/traefik/genpulse.yaml": str(folder / "genpulse.yaml")}
    (folder / "traefik.yaml").write_text(replaced((DEPLOY / "traefik/traefik.yaml").read_text(), values))
    return (f"--configFile={folder / 'traefik.yaml'}",), {}


_STARTS = {"nginx": _nginx, "haproxy": _haproxy, "caddy": _caddy, "traefik": _traefik}
