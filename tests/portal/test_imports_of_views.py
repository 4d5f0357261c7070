"""Only URL patterns import views. Functions that several pages share are in modules of their own."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "portal").rglob("*.py"))


def imported(path):
    """The full names of everything that a module imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def test_only_url_patterns_import_views():
    importing = {
        str(path.relative_to(ROOT))
        for path in FILES
        if any(name.startswith("portal.") and "views" in name.split(".") for name in imported(path))
    }
    assert {path for path in importing if not path.endswith("urls.py")} == set()
    assert "portal/booking/urls.py" in importing


def test_a_folder_of_views_holds_views():
    """Every module of views has a view that the URL patterns name."""
    named = {name for path in FILES if path.name == "urls.py" for name in imported(path)}
    folders = [path for path in FILES if path.parent.name == "views" and path.name != "__init__.py"]
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in folders}
    assert len(modules) > 10
    assert modules - named == set()
