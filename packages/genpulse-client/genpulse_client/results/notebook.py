"""How notebooks show media. Nothing is fetched: the browser asks the address, which needs no key."""

from html import escape


def media_html(url: str, media_type: str) -> str:
    """A picture, a player, or a link to what a browser cannot show."""
    if not url.startswith(("http://", "https://")):
        return f"<code>{escape(url)}</code>"
    source = escape(url, quote=True)
    family = media_type.partition("/")[0]
    if family == "image":
        return f'<img src="{source}" style="max-width: 100%; max-height: 512px">'
    if family == "video":
        return f'<video src="{source}" controls loop style="max-width: 100%; max-height: 512px"></video>'
    if family == "audio":
        return f'<audio src="{source}" controls></audio>'
    return f'<a href="{source}">{escape(media_type)}</a>'


def task_html(task_id: str, model: str, status: str, words: str, media: tuple[str, ...]) -> str:
    """A line about a task, and what it made."""
    said = f": {escape(words)}" if words else ""
    line = f"<div><code>{escape(task_id)}</code> {escape(model)} <b>{escape(status)}</b>{said}</div>"
    return line + "".join(f"<div>{one}</div>" for one in media)
