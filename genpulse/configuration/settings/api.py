"""The section of the API."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from genpulse.configuration.settings.values import Optional, Section, list_as_text

DRAIN_S = 5.0
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1", "[::]": "::1", "0": "127.0.0.1"}
"""Every address of a machine, and that which is it itself."""


class Api(Section):
    """The HTTP API."""

    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(8000, ge=1, le=65535, description="Port to listen on.")
    public_url: Optional = Field(
        None,
        description=(
            "How clients reach the API, for the URLs in its answers and in webhooks; empty: as the request came,"
            " and in webhooks api.host and api.port. Workers of testing and production need it where api.host is"
            " 0.0.0.0."
        ),
    )
    body_limit_bytes: int = Field(1 << 20, ge=1024, description="Bytes of a JSON body at most.")
    upload_limit_bytes: int = Field(2 << 30, ge=1024, description="Bytes of an upload at most.")
    grace_s: int = Field(3, ge=0, le=3600, description="Seconds that open requests get when the API stops.")
    drain_s: float | None = Field(
        None,
        ge=0,
        le=3600,
        description=(
            "Seconds for which requests are still taken after SIGTERM while /readyz says 503, so that a proxy"
            " looks for another one first; empty: 5, and 0 in development."
        ),
    )
    keep_alive_s: int = Field(
        75,
        ge=1,
        le=3600,
        description="Seconds for which an idle connection stays open: longer than proxies in front keep theirs.",
    )
    longest_wait_s: int = Field(
        25,
        ge=1,
        le=60,
        description=(
            "Seconds after which `Prefer: wait` is answered at the latest, whatever is asked: less than proxies in"
            " front wait for an answer."
        ),
    )
    trusted_proxies: str = Field(
        "127.0.0.1",
        description="Addresses or networks, with commas, whose X-Forwarded-For and -Proto count; * for all.",
    )
    connections_per_peer: int = Field(
        256,
        ge=1,
        le=1_000_000,
        description=(
            "Connections that one client may have at a time; beyond that its longest silent one is closed. Proxies"
            " that are named in api.trusted_proxies may have more."
        ),
    )
    cors_origins: Annotated[str, BeforeValidator(list_as_text)] = Field(
        "",
        description=(
            "Origins, with commas, whose web pages may call the API from a browser, such as https://app.example.com;"
            " * for all, in development alone. Empty: none."
        ),
    )
    events_url_s: int = Field(
        3600,
        ge=60,
        le=86_400,
        description="Seconds for which the address of a task's events can be read without a key.",
    )
    asset_url_s: int = Field(
        86_400,
        ge=60,
        le=604_800,
        description="Seconds for which the addresses of outputs can be fetched without a key.",
    )

    @property
    def origins(self) -> tuple[str, ...]:
        """The single origins of `cors_origins`."""
        return tuple(origin.strip() for origin in self.cors_origins.split(",") if origin.strip())
