"""Assets: copy the front-end libraries and fonts from node_modules to static/vendor, once at set-up."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

VENDOR = Path(__file__).parent / "static" / "vendor"
FONT = "node_modules/@fontsource/be-vietnam-pro/files"
FILES = (
    "node_modules/htmx.org/dist/htmx.min.js",
    f"{FONT}/be-vietnam-pro-vietnamese-400-normal.woff2",
    f"{FONT}/be-vietnam-pro-vietnamese-600-normal.woff2",
    f"{FONT}/be-vietnam-pro-latin-400-normal.woff2",
    f"{FONT}/be-vietnam-pro-latin-600-normal.woff2",
)


def copy_assets(root: Path) -> list[Path]:
    """Copy what pages need from `root`'s node_modules; FileNotFoundError when `npm ci` has not been run."""
    VENDOR.mkdir(parents=True, exist_ok=True)
    return [Path(shutil.copyfile(root / name, VENDOR / Path(name).name)) for name in FILES]


def main() -> int:
    """`python -m bot.web.assets`, run in the project's folder."""
    try:
        copied = copy_assets(Path.cwd())
    except FileNotFoundError as error:
        sys.stderr.write(f"{error.filename} is missing. Run first: npm ci\n")
        return 1
    sys.stdout.write(f"{len(copied)} files in {VENDOR}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
