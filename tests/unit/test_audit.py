"""What `make audit` makes of what pip-audit says."""

import json
import sys

import pytest

from audit.__main__ import main
from audit.report import FOUND, NOT_KNOWN, judged

GOOD = {"name": "yarl", "version": "1.2.3", "vulns": []}
BAD = {"name": "aiohttp", "version": "3.0", "vulns": [{"id": "GHSA-x", "fix_versions": ["3.1"]}]}
UNMENDED = {"name": "click", "version": "8", "vulns": [{"id": "PYSEC-1", "fix_versions": []}]}
SKIPPED = {"name": "redis", "skip_reason": "Dependency not found on PyPI and could not be audited: redis (6)"}


def report(*packages):
    return json.dumps({"dependencies": packages, "fixes": []})


@pytest.mark.parametrize(
    ("written", "said", "code", "words"),
    [
        (report(GOOD), "", 0, "1 locked packages were looked at, and none has a known vulnerability."),
        (report(GOOD, BAD), "", FOUND, "  - aiohttp 3.0: GHSA-x, mended in 3.1\n"),
        (report(UNMENDED), "", FOUND, "  - click 8: PYSEC-1, not mended yet\n"),
        (report(SKIPPED, BAD), "", FOUND, "GHSA-x"),
        (report(GOOD, SKIPPED), "", NOT_KNOWN, "1 of 2 locked packages were not looked at (redis: Dependency not"),
        (report(*[SKIPPED] * 7), "No known vulnerabilities found", NOT_KNOWN, "redis and 2 more"),
        (report(), "", NOT_KNOWN, "0 of 0 locked packages were not looked at"),
        (
            "",
            "Traceback\n  ConnectionError: no route\n\n",
            NOT_KNOWN,
            "could not be asked (ConnectionError: no route)",
        ),
        ("{}", "", NOT_KNOWN, "could not be asked (nothing was said)"),
        ("[1]", "", NOT_KNOWN, "So nothing is known about the lock."),
    ],
)
def test_a_package_that_nobody_looked_at_is_not_in_order(written, said, code, words):
    found = judged(written, said)
    assert found.exit_code == code
    assert words in found.words


def test_the_lock_is_asked_for_with_its_hashes_and_no_pip(tmp_path, capsys):
    program = tmp_path / "pip-audit"
    program.write_text(
        f"#!{sys.executable}\nimport sys\n"
        f"open(sys.argv[sys.argv.index('--output') + 1], 'w').write({report(BAD)!r})\n"
        "assert sys.argv[1:5] == ['--disable-pip', '--require-hashes', '--requirement', 'requirements.lock']\n"
        "assert sys.argv[-1] == '--more'\n"
    )
    program.chmod(0o755)
    assert main(str(program), "--more") == FOUND
    assert "requirements.lock: these locked packages have known vulnerabilities:" in capsys.readouterr().err
