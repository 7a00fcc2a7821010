"""Forms as they are sent, and whether they come from a page of ours."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

from genpulse.console.errors import ForgedForm, UnreadableForm
from genpulse.domain.console import ConsoleSession

TOKEN = "token"  # noqa: S105 - the name of a field
ENVIRONMENT = "environment"
MOST_FIELDS = 500
_PURPOSE = b"genpulse console form 1\0"


@dataclass(frozen=True, slots=True)
class PageForm:
    """The fields of a form in their order; one name may come several times."""

    fields: Sequence[tuple[str, str]]

    def get(self, name: str) -> str:
        """The last value of a field, empty where it is not there."""
        return next((value for found, value in reversed(self.fields) if found == name), "")

    def has(self, name: str) -> bool:
        """Whether the field is there at all, as a box that is ticked."""
        return any(found == name for found, _ in self.fields)


async def read(request: Request, limit_bytes: int) -> PageForm:
    """The form in the body. Raises `UnreadableForm`, `ContentTooLarge`, `ClientDisconnect`."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = b""
    async for data in request.stream():
        body += data
        if len(body) > limit_bytes:
            raise UnreadableForm("it is larger than forms are")
    if content_type != "application/x-www-form-urlencoded" and body:
        raise UnreadableForm("it is of another type than forms are")
    try:
        text = body.decode("utf-8")
        fields = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except UnicodeDecodeError:
        raise UnreadableForm("it is not in UTF-8") from None
    except ValueError:
        raise UnreadableForm(f"it has more than {MOST_FIELDS} fields") from None
    return PageForm(tuple(fields))


def token_for(secret: bytes, session: ConsoleSession | None) -> str:
    """What a form of this session carries. No page of another site can read it."""
    digest = hmac.digest(secret, _PURPOSE + (session.digest if session else b""), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def check_origin(request: Request, public_url: str | None) -> None:
    """Whether a page of this host sends the form, as the browser says. Raises `ForgedForm`."""
    origin = urlsplit(request.headers.get("origin", ""))
    ours = {request.headers.get("host", ""), urlsplit(public_url or "").netloc} - {""}
    if origin.scheme not in {"http", "https"} or origin.netloc not in ours:
        raise ForgedForm
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise ForgedForm


def check_token(form: PageForm, token: str) -> None:
    """Raises `ForgedForm`."""
    if not hmac.compare_digest(form.get(TOKEN).encode(), token.encode()):
        raise ForgedForm
