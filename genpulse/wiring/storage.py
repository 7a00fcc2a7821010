"""The storage of assets, and the folder in which streams wait."""

from genpulse.adapters.storage.checksum import checksum_options
from genpulse.adapters.storage.disk.spool_folder import SpoolContents as SpoolContents
from genpulse.adapters.storage.objects import ObjectStorage, spool_folder
from genpulse.configuration.settings import Settings

SPOOLING_PROCESSES = frozenset({"api", "worker"})
"""Processes that keep streams; a command beside them only looks."""


def asset_storage(settings: Settings) -> ObjectStorage:
    options = _storage_options(settings)
    return ObjectStorage(
        settings.storage_url, spool_dir=settings.storage.spool_dir, options=options, proxies=settings.proxies
    )


def waiting_streams(settings: Settings) -> tuple[SpoolContents, ...]:
    """Spooled streams on this machine's disk, of every process of this user. Raises `OSError`."""
    return spool_folder(settings.storage.spool_dir, settings.storage_url, _storage_options(settings)).contents()


def _storage_options(settings: Settings) -> dict[str, str]:
    storage = settings.storage
    secrets = {"access_key_id": storage.access_key_id, "secret_access_key": storage.secret_access_key}
    plain = {"endpoint": storage.endpoint, "region": storage.region}
    options = {
        **{name: value for name, value in plain.items() if value},
        **{name: secret.get_secret_value() for name, secret in secrets.items() if secret},
    }
    return {**options, **checksum_options(settings.storage_url, options, storage.checksum)}
