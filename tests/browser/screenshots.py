"""Pictures of the console's pages, of a running stack: `make screenshots`.

They are written into a folder, for people to look at. Those of `KEPT` are there as small WebP besides, for the
documentation.
"""

import asyncio
import io
import os
import shutil
import sys
from pathlib import Path

import aiohttp
from PIL import Image
from playwright.async_api import Browser, async_playwright

PAGES = {
    "now": "",
    "tasks": "/tasks",
    "failed": "/tasks?status=failed",
    "gallery": "/gallery",
    "playground": "/playground?model=sandbox/image",
    "models": "/models",
    "provider": "/providers/sandbox",
    "webhooks": "/webhooks",
    "usage": "/usage?group_by=model",
    "keys": "/keys",
    "log": "/log",
    "environment": "/environment",
}
KEPT = {"now", "tasks", "task", "gallery", "again", "models", "provider", "webhooks", "usage", "environment"}
LARGEST_BYTES = 100_000
_HIGHEST = 900
_HIGHER = {"task": 1120}
"""Pages of which more is kept: down to the bars of the attempts."""
SETTLES_MS = 700
"""Until what the page loads lazily is there."""
SIZES = {"wide": (1280, 900, "light"), "dark": (1280, 900, "dark"), "narrow": (400, 860, "light")}


async def take(url: str, folder: Path) -> None:
    """A picture of each page in each size, and of the newest task."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        sys.exit("No Chromium was found: install the package chromium, or name its program in CHROMIUM.")
    folder.mkdir(parents=True, exist_ok=True)
    pages = PAGES | await newest(url)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for size in SIZES:
            await in_size(browser, url, folder, size, pages)
        await browser.close()


async def newest(url: str) -> dict[str, str]:
    """The page of the newest picture, where there is one."""
    query = "status=succeeded&kind=text-to-image&limit=1"
    async with aiohttp.ClientSession() as client, client.get(f"{url}/v1/tasks?{query}") as answer:
        data = (await answer.json())["data"]
    return {"task": f"/tasks/{data[0]['id']}", "again": f"/playground?from={data[0]['id']}"} if data else {}


async def in_size(browser: Browser, url: str, folder: Path, size: str, pages: dict[str, str]) -> None:
    width, height, scheme = SIZES[size]
    context = await browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = await context.new_page()
    for name, path in pages.items():
        await page.goto(f"{url}/console{path}", wait_until="load")
        await page.wait_for_timeout(SETTLES_MS)
        await page.screenshot(path=folder / f"{name}-{size}.png", full_page=True)
        print(folder / f"{name}-{size}.png")
        if size == "wide" and name in KEPT:
            keep(await page.screenshot(), folder / f"{name}.webp")
    await context.close()


def keep(png: bytes, path: Path) -> None:
    """As WebP, of the quality at which it is small enough."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    image = image.crop((0, 0, image.width, min(image.height, _HIGHER.get(path.stem, _HIGHEST))))
    for quality in (90, 80, 70, 60, 50, 40):
        file = io.BytesIO()
        image.save(file, "WEBP", quality=quality, method=6)
        if file.tell() < LARGEST_BYTES:
            break
    path.write_bytes(file.getvalue())
    print(path, file.tell())


if __name__ == "__main__":
    asyncio.run(take(sys.argv[1].rstrip("/"), Path(sys.argv[2])))
