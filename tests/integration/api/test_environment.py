"""Which environment this is."""


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
