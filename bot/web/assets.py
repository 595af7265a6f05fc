"""Assets: copy the front-end libraries and the fonts of pages and papers from node_modules, once at set-up."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from bot.papers import FONTS

VENDOR = Path(__file__).parent / "static" / "vendor"
FONT = "node_modules/@fontsource/be-vietnam-pro/files"
PAPER_FONT = "node_modules/@expo-google-fonts/tinos"
FILES = (
    "node_modules/htmx.org/dist/htmx.min.js",
    "node_modules/leaflet/dist/leaflet.js",
    "node_modules/leaflet/dist/leaflet.css",
    "node_modules/leaflet.markercluster/dist/leaflet.markercluster.js",
    "node_modules/leaflet.markercluster/dist/MarkerCluster.css",
    f"{FONT}/be-vietnam-pro-vietnamese-400-normal.woff2",
    f"{FONT}/be-vietnam-pro-vietnamese-600-normal.woff2",
    f"{FONT}/be-vietnam-pro-latin-400-normal.woff2",
    f"{FONT}/be-vietnam-pro-latin-600-normal.woff2",
)
PAPER_FILES = (
    f"{PAPER_FONT}/400Regular/Tinos_400Regular.ttf",
    f"{PAPER_FONT}/400Regular_Italic/Tinos_400Regular_Italic.ttf",
    f"{PAPER_FONT}/700Bold/Tinos_700Bold.ttf",
    f"{PAPER_FONT}/700Bold_Italic/Tinos_700Bold_Italic.ttf",
)


def copy_assets(root: Path) -> list[Path]:
    """Copy what pages and papers need from `root`'s node_modules; FileNotFoundError when `npm ci` has not been run."""
    copied = []
    for folder, names in ((VENDOR, FILES), (FONTS, PAPER_FILES)):
        folder.mkdir(parents=True, exist_ok=True)
        copied += [Path(shutil.copyfile(root / name, folder / Path(name).name)) for name in names]
    return copied


def main() -> int:
    """`python -m bot.web.assets`, run in the project's folder."""
    try:
        copied = copy_assets(Path.cwd())
    except FileNotFoundError as error:
        sys.stderr.write(f"{error.filename} is missing. Run first: npm ci\n")
        return 1
    sys.stdout.write(f"{len(copied)} files in {VENDOR} and {FONTS}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
