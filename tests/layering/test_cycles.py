"""No module of the package needs itself: neither while it is imported nor through what functions import later."""

import ast
from pathlib import Path

PYTHON = Path(__file__).resolve().parents[2] / "src" / "mlwright"


def module_name(file):
    parts = ["mlwright", *file.relative_to(PYTHON).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(file): file for file in sorted(PYTHON.rglob("*.py"))}


def statements(tree):
    """The nodes that run when the module is imported: not the bodies of functions."""
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield node
            yield from statements(node)


def imported_modules(file):
    for node in statements(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                if whole in MODULES or node.module in MODULES:
                    yield whole if whole in MODULES else node.module


def find_cycle(graph):
    state, path = {}, []

    def visit(name):
        state[name] = "open"
        path.append(name)
        for other in sorted(graph[name]):
            if state.get(other) == "open":
                return [*path[path.index(other) :], other]
            if other not in state and (cycle := visit(other)):
                return cycle
        state[path.pop()] = "done"
        return None

    for name in graph:
        if name not in state and (cycle := visit(name)):
            return cycle
    return None


def test_the_search_finds_a_cycle():
    assert find_cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert find_cycle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) is None


def test_imports_have_no_cycle():
    graph = {name: set(imported_modules(file)) - {name} for name, file in MODULES.items()}
    assert graph["mlwright._kernels.simd"] >= {"mlwright._native", "mlwright._runtime.registry"}
    assert find_cycle(graph) is None
