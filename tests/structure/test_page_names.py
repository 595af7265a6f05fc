"""What every page is given by itself keeps its name: a page that passes another thing under it breaks the frame."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

WEB = Path(__file__).parents[2] / "bot" / "web"
MODULES = {path.name: ast.parse(path.read_text(encoding="utf-8")) for path in WEB.glob("*.py")}


def _given(function: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Dict):
            yield from (key.value for key in node.value.keys if isinstance(key, ast.Constant))


def names_of_the_frame() -> set[str]:
    """What context processors give to each page."""
    found: set[str] = set()
    for tree in MODULES.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and (
                node.name == "_frame" or any("context_processor" in ast.unparse(one) for one in node.decorator_list)
            ):
                found.update(_given(node))
    return found


def test_no_page_takes_a_name_of_the_frame() -> None:
    frame = names_of_the_frame()
    assert {"official", "commune", "seconds_left", "approvals_waiting"} <= frame
    taken = [
        f"{name}:{node.lineno} {keyword.arg}"
        for name, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"render", "render_template"}
        for keyword in node.keywords
        if keyword.arg in frame
    ]
    assert taken == []
