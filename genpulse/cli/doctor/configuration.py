"""Findings about the environment and the configuration."""

import os
from collections.abc import Iterator

from genpulse import config
from genpulse.cli.doctor.finding import Finding, warning, well, wrong
from genpulse.configuration.rules.near_names import without_prefix
from genpulse.configuration.rules.policy import address_fault, allowances, single_servers
from genpulse.configuration.settings import Settings
from genpulse.configuration.sources.variables import process_variables, variable_name
from genpulse.environment.build_info import BUILD_FILE, read_build_info
from genpulse.environment.errors import EnvironmentProblem
from genpulse.wiring.catalogue import open_catalogue
from genpulse.wiring.routes import model_faults

_LONGEST_STATEMENT_S = 60.0


def environment() -> Finding:
    """The row of the table, and how it was decided."""
    try:
        resolved = config.find_environment()
    except (EnvironmentProblem, config.ConfigurationError) as error:
        return wrong("environment", str(error), "mend what is named")
    row = resolved.environment
    detail = (
        f"{row.dynaconf}, by {resolved.decided_by}: database {row.db_mode}, services {row.services}, keys"
        f" {row.key_prefix}, target {row.target}"
    )
    return warning("environment", detail, resolved.warning) if resolved.warning else well("environment", detail)


def build() -> Iterator[Finding]:
    """The build info of what runs here, where there is some. A broken one stops everything before this."""
    if build := read_build_info():
        yield well("build", f"{build}; the stamp is {BUILD_FILE}")


def load() -> tuple[Finding, Settings | None]:
    """The settings, when they are in order. Servers may still be missing."""
    try:
        settings = config.load(require=())
    except (EnvironmentProblem, config.ConfigurationError) as error:
        return wrong("configuration", str(error), "mend what is listed"), None
    return well("configuration", f"in order, project folder {settings.root}"), settings


def allowed(settings: Settings) -> Iterator[Finding]:
    """Rules of this environment that somebody has switched off."""
    off = list(allowances(settings))
    if not settings.release.require_tag and settings.environment.is_production:
        off.append("release.require_tag")
    for key in off:
        value = "false" if key == "release.require_tag" else "true"
        advice = f"remove {key} (or {variable_name(key)}) when it is not needed any more"
        yield warning("allowance", f"{key} is {value}: a rule of {settings.environment.dynaconf} is off", advice)


def named(settings: Settings) -> Iterator[Finding]:
    """Whether webhooks name the API by an address."""
    if fault := address_fault(settings):
        yield wrong("public URL", fault.detail.partition(". ")[0], fault.detail.partition(". ")[2])


def reached(settings: Settings) -> Iterator[Finding]:
    """Findings about addresses that others see, and servers without a spare."""
    if settings.api.public_url is None and address_fault(settings) is None:
        detail = "api.public_url is empty: the addresses of outputs name whatever a proxy passes on as the host"
        advice = f"set {variable_name('api.public_url')} to how clients reach the API"
        yield warning("public URL", detail, advice)
    single = [what for what, is_single in single_servers(settings) if is_single]
    if single:
        detail = f"one server each: {', '.join(single)}; while one is away, nothing goes on"
        yield warning(
            "cluster", detail, "name several hosts in the URL, or know that what is behind it has a stand-in"
        )


def time_out(settings: Settings) -> Finding:
    """Findings about the time that a statement may hold a connection."""
    seconds = settings.database.statement_timeout_s
    detail = f"PostgreSQL gives a statement up after {seconds:g} s"
    if seconds > _LONGEST_STATEMENT_S:
        advice = f"{_LONGEST_STATEMENT_S:g} s are plenty: a hanging statement holds a connection for that long"
        return warning("statements", detail, advice)
    return well("statements", detail)


def spending(settings: Settings) -> Finding:
    """Whether providers that cost money may be used, and how much they may cost."""
    paid = [name for name, section in settings.providers.named.items() if section.paid]
    if not settings.providers.paid and not paid:
        return well("spending", "providers that cost money may not be used")
    but = [name for name, section in settings.providers.named.items() if section.paid is False]
    who = "all providers" if settings.providers.paid else ", ".join(paid)
    who += f" but {', '.join(but)}" if settings.providers.paid and but else ""
    limits = {"day": settings.budget.daily_usd, "month": settings.budget.monthly_usd}
    if all(limit is None for limit in limits.values()):
        advice = f"set budget.daily_usd ({variable_name('budget.daily_usd')}) to US dollars a day"
        return warning("spending", f"money may be spent by {who}, without a limit", advice)
    words = " and ".join(f"{limit} US dollars a {period}" for period, limit in limits.items() if limit is not None)
    return well("spending", f"money may be spent by {who}, up to {words}")


def models(settings: Settings) -> Iterator[Finding]:
    """What is wrong with the team's own models and with the routes, for which nothing starts."""
    for fault in model_faults(settings):
        yield wrong("models", str(fault), "mend it: genpulse config check looks again")


def providers(settings: Settings) -> Iterator[Finding]:
    """Plug-ins, and why some of them were left out."""
    try:
        catalogue = open_catalogue(settings)
    except config.ConfigurationError:
        return  # `models` tells why
    names = ", ".join(
        f"{name} ({_of_paid(name, settings)})" if catalogue.is_paid(name) else name
        for name in catalogue.providers()
    )
    if names:
        lacking = [variable_name(key) for name in catalogue.providers() for key in catalogue.lacks(name)]
        yield well("providers", f"{names}; not set up without {', '.join(lacking)}" if lacking else names)
    else:
        yield wrong("providers", "none", "install one, or pip install 'genpulse[sandbox]'")
    for name in catalogue.providers():
        if not catalogue.is_configured(name):
            yield from _bare_key(name)
        for sentence in catalogue.left_out(name):
            yield warning(f"provider {name}", f"left out: {sentence}", "mend or remove it; the others are offered")
    for name, why in catalogue.broken.items():
        off = f"{variable_name(f'providers.{name}.enabled')}=false"
        advice = f"mend it, its name, or install what it needs; or switch it off: {off}"
        yield wrong(f"provider {name}", f"left out: {why}", advice)


def _bare_key(name: str) -> Iterator[Finding]:
    """The variable of the vendor's own packages, where somebody has set that one."""
    key = f"providers.{name}.api_key"
    if bare := without_prefix(key, process_variables(os.environ)):
        detail = f"{bare} is set, and GenPulse does not read it"
        yield warning(f"provider {name}", detail, f"set {variable_name(key)} if that account is meant")


def _of_paid(name: str, settings: Settings) -> str:
    section = settings.providers.named.get(name)
    own = section.paid if section else None
    allowed = settings.providers.paid if own is None else own
    return "costs money, allowed" if allowed else "costs money, refused"
