"""`make docs`: the documentation as a site.

python -m website --mkdocs <program> --mermaid <script> --into <folder>
"""

import argparse
import sys
from pathlib import Path

from website.build import BuildFailed, build
from website.pages import NoHeading


def main() -> int:
    """0 when the site is there."""
    parser = argparse.ArgumentParser(prog="python -m website", description=__doc__)
    parser.add_argument("--mkdocs", type=Path, required=True, help="the program `mkdocs`")
    parser.add_argument("--mermaid", type=Path, required=True, help="mermaid.min.js, which draws diagrams")
    parser.add_argument("--into", type=Path, required=True, help="the folder that becomes the site")
    asked = parser.parse_args()
    try:
        count = build(asked.mkdocs.absolute(), asked.mermaid.absolute(), asked.into.absolute())
    except (BuildFailed, NoHeading) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{count} pages: {asked.into / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
