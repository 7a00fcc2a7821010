"""Ids of apps in paths."""

import pytest

from genpulse.dialects.fal.apps import app_id, queue_path
from genpulse.domain.errors import UnknownModel


@pytest.mark.parametrize(
    ("path", "app", "queue"),
    [
        ("fal-ai/flux", "fal-ai/flux", "fal-ai/flux"),
        ("fal-ai/flux/dev", "fal-ai/flux/dev", "fal-ai/flux"),
        ("fal-ai/flux/dev/image-to-image", "fal-ai/flux/dev/image-to-image", "fal-ai/flux"),
        ("workflows/me/mine", "workflows/me/mine", "workflows/me/mine"),
        ("comfy/me/mine/deep", "comfy/me/mine/deep", "comfy/me/mine"),
        ("110602490-lora", "110602490/lora", "110602490/lora"),
    ],
)
def test_ids(path, app, queue):
    assert app_id(path) == app
    assert queue_path(app) == queue


@pytest.mark.parametrize("path", ["", "/", "a//b", "a/"])
def test_what_cannot_be_one(path):
    with pytest.raises(UnknownModel):
        app_id(path)
