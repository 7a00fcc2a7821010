"""Which environment this is."""

from genpulse.api.routes.environment import _build
from genpulse.environment.build_info import Build


async def test_the_environment_is_shown_without_secrets(api):
    assert (await api.get("/v1/environment")).json == {
        "name": "dev",
        "dynaconf": "development",
        "branch": "dev",
        "key_prefix": "dev:",
        "db_mode": "local",
        "services": "auto-spawn",
        "target": "Development / Sandbox",
        "api_key_prefix": "gp_dev_",
        "version": "1.2.3",
        "build": None,
    }


def test_a_build_is_shown_with_the_repository_whose_tag_it_has():
    shop = "https://example.com/shop.git"
    build = Build("1.2.3", "a" * 40, "b" * 40, "v1.2.3", repository=shop, package="c" * 64)
    assert _build(build).model_dump() == {
        "tag": "v1.2.3",
        "version": "1.2.3",
        "commit": "a" * 40,
        "repository": shop,
        "dirty": False,
    }
