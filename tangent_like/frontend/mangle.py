"""Write private names as Python does: `self.__rate` in class `Model` is `self._Model__rate`.

    class Model:
        def loss(self):
            return self.__rate      ──▶   return self._Model__rate
"""

from __future__ import annotations

from typing import Any

import gast

# The fields that hold a name Python mangles. Keywords in calls are not among them.
NAME_FIELDS = {
    gast.Name: "id",
    gast.Attribute: "attr",
    gast.FunctionDef: "name",
    gast.AsyncFunctionDef: "name",
    gast.ClassDef: "name",
    gast.alias: "asname",
    gast.Global: "names",
    gast.Nonlocal: "names",
    gast.MatchAs: "name",
    gast.MatchStar: "name",
    gast.MatchMapping: "rest",
}


def mangle(tree: Any, class_name: str | None) -> None:
    """Mangle the private names in a fresh tree, in place.

    `class_name` is the class around the tree. The tree's own name, if it has one, is kept.
    Without recursion, since trees may be deep.
    """
    waiting = [(child, class_name) for child in gast.iter_child_nodes(tree)]
    while waiting:
        node, around = waiting.pop()
        within = node.name if isinstance(node, gast.ClassDef) else around
        members = {id(child) for child in node.body} if isinstance(node, gast.ClassDef) else ()
        for child in gast.iter_child_nodes(node):
            waiting.append((child, within if id(child) in members else around))
        _rename(node, around)


def _rename(node: Any, class_name: str | None) -> None:
    field = NAME_FIELDS.get(type(node))
    if field is None or class_name is None:
        return
    old = getattr(node, field)
    if isinstance(old, list):
        setattr(node, field, [mangled(name, class_name) for name in old])
    elif old is not None:
        setattr(node, field, mangled(old, class_name))


def mangled(name: str, class_name: str) -> str:
    """A name as it is stored when it stands in a class: `__x` becomes `_Class__x`."""
    owner = class_name.lstrip("_")
    if not name.startswith("__") or name.endswith("__") or not owner:
        return name
    return f"_{owner}{name}"
