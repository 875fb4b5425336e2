"""The rooms stay small: folders, modules, classes, and a docstring that says what each package is."""

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

import bounce_watch

PACKAGE = Path(bounce_watch.__path__[0])
ROOMS = sorted(path.parent for path in PACKAGE.rglob("__init__.py"))

MAX_MODULES = 20
MAX_LINES = 250
MAX_PUBLIC_METHODS = 25


def place(path: Path) -> str:
    """Return the path of a file below the package; `.` is the package itself."""
    return path.relative_to(PACKAGE).as_posix()


def classes() -> Iterator[type]:
    """Yield every class that a module of the package defines at its top level."""
    names = (module.name for module in pkgutil.walk_packages(bounce_watch.__path__, "bounce_watch."))
    for name in names:
        if not name.endswith((".__main__", ".env")):
            found = vars(importlib.import_module(name)).values()
            yield from (thing for thing in found if inspect.isclass(thing) and thing.__module__ == name)


def public_methods(of: type) -> set[str]:
    """Return the public methods and properties of a class, inherited from our own classes too."""
    ours = (base for base in of.__mro__ if base.__module__.startswith("bounce_watch."))
    members = ((member, value) for base in ours for member, value in vars(base).items())
    return {
        member
        for member, value in members
        if not member.startswith("_") and (inspect.isroutine(value) or isinstance(value, property))
    }


def cycles(graph: grimp.ImportGraph) -> set[str]:
    """Return the import cycles of a graph, each as a chain that ends where it starts."""
    found: dict[frozenset[str], str] = {}
    for module in sorted(graph.modules):
        for imported in graph.find_modules_directly_imported_by(module):
            if back := graph.find_shortest_chain(importer=imported, imported=module):
                found.setdefault(frozenset(back), " -> ".join([module, *back]))
    return set(found.values())


def test_no_folder_has_more_modules_than_a_reader_sees_at_once() -> None:
    """Migrations are a list in time; every other folder above the limit needs sub-packages."""
    sizes = {place(room): len(list(room.glob("*.py"))) for room in ROOMS if "migrations" not in room.parts}
    assert {room: size for room, size in sizes.items() if size > MAX_MODULES} == {}


def test_no_module_is_longer_than_can_be_read_at_once() -> None:
    """Near a hundred lines is the aim; a migration lists the columns of many tables."""
    lengths = {place(path): len(path.read_text("utf-8").splitlines()) for path in PACKAGE.rglob("*.py")}
    long = {module for module, length in lengths.items() if length > MAX_LINES and "migrations" not in module}
    assert long == set()


def test_no_class_has_more_public_methods_than_a_reader_remembers() -> None:
    """Inherited methods count, so that base classes are no way around the limit."""
    sizes = {f"{of.__module__}.{of.__qualname__}": len(public_methods(of)) for of in classes()}
    assert len(sizes) > 300, "the walk over the package found too little"
    assert {of: size for of, size in sizes.items() if size > MAX_PUBLIC_METHODS} == {}


def test_inherited_methods_count() -> None:
    class Base:
        def one(self) -> None: ...

    class Child(Base):
        @property
        def two(self) -> None: ...

        def _private(self) -> None: ...

    Base.__module__ = Child.__module__ = "bounce_watch.test"
    assert public_methods(Child) == {"one", "two"}


@pytest.mark.parametrize("room", ROOMS, ids=place)
def test_a_package_says_in_one_to_four_lines_what_it_is(room: Path) -> None:
    docstring = ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8"))) or ""
    assert 1 <= len(docstring.splitlines()) <= 4
    assert docstring[:1].isupper() or docstring.startswith("`")
    assert docstring.endswith(".")


def test_no_modules_import_each_other_in_a_cycle() -> None:
    """Late imports count too: a cycle that only works inside a function is still a cycle."""
    assert cycles(grimp.build_graph("bounce_watch", cache_dir=None)) == set()


def test_a_cycle_is_named_with_its_modules() -> None:
    graph = grimp.ImportGraph()
    for importer, imported in (("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")):
        graph.add_import(importer=importer, imported=imported)
    assert cycles(graph) == {"a -> b -> c -> a"}
