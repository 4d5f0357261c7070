"""Use cases take one request object rather than a long list of parameters."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
MOST = 6
PLACES = ("booking", "interactions", "opening", "questionnaire_answers.py")


def functions():
    for place in PLACES:
        path = ROOT / "scheduling" / place
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.FunctionDef):
                    yield node


def parameters(function):
    every = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    return [each.arg for each in every if each.arg not in ("self", "cls")]


def test_no_function_of_a_use_case_has_more_than_six_parameters():
    assert {each.name: parameters(each) for each in functions() if len(parameters(each)) > MOST} == {}


def test_use_cases_are_looked_at():
    assert {"book", "hold", "confirm", "reschedule", "cancel", "write", "answer", "save"} <= {
        each.name for each in functions()
    }
