#!/usr/bin/python3
"""docs/python.md, made from the docstrings of the package.

reference.py           prints it
reference.py --write   writes it

The package is found through PYTHONPATH. A test holds the file against the docstrings, and runs
their examples.
"""

import dataclasses
import inspect
import pathlib
import re
import sys

import fontkeep

PATH = pathlib.Path(__file__).resolve().parents[1] / "docs/python.md"

HEAD = """# Python

Made from the docstrings by `scripts/reference.py --write`; `help(fontkeep.Store.save_model)` says
the same. Each example is run by the tests. They begin with

```python
import fontkeep, numpy, torch

model, vector = torch.nn.Linear(3, 2), torch.zeros(64)
image = numpy.zeros((32, 32), numpy.uint8)
store = fontkeep.Store("networks", create=True)
run_id = store.save_model("1-fruity", model, vector, image, {"A": image},
                          {"metrics": {"loss": 0.03}}, training={"epochs": 40})
run = store.open_run("1-fruity")
```

Neither PyTorch nor numpy nor PIL is required; what is there is used. Errors say what is wrong,
where, and what to do next; all of them are `fontkeep.FontKeepError` and the built-in exception
named beside them. `TypeError` (a call that makes no sense), `MemoryError` and `KeyboardInterrupt`
are Python's own. Warnings are `fontkeep.FontKeepWarning`.

The functions `fontkeep.save_model`, `load_model`, `list_fonts`, `list_runs` and `get_run_info` are
the methods of the same names on the default store: `$FONTKEEP_STORE`, else `./networks`, looked up
by each call.
"""

GROUPS = {
    "Store": [fontkeep.Store],
    "Runs": [fontkeep.RunDraft, fontkeep.Run],
    "What is told": [
        *(fontkeep.RunMetadata, fontkeep.RunFile, fontkeep.Problem, fontkeep.Verification),
        *(fontkeep.Recovery, fontkeep.StoreStatus, fontkeep.Inspection, fontkeep.TensorInfo),
        *(fontkeep.Removal, fontkeep.TrashEntry, fontkeep.Restoration, fontkeep.Purge),
        *(fontkeep.Changes, fontkeep.Change, fontkeep.Selftest),
    ],
}


def public_members(kind):
    """(name, member) in the order of the source; what all parts stand on first."""
    bases = [base for base in kind.__mro__ if base.__module__.startswith("fontkeep")]
    found = {}
    for base in [bases[-1], *bases[:-1]]:
        found.update(vars(base))
    for name, member in found.items():
        is_call = inspect.isfunction(member) or isinstance(member, property)
        if is_call and not name.startswith("_"):
            yield name, member


def signature(function):
    """Without annotations and `self`: what a reader types."""
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for name, parameter in inspect.signature(function).parameters.items()
        if name != "self"
    ]
    return str(inspect.Signature(parameters))


def as_markdown(docstring):
    """Paragraphs as they are, examples as code."""
    blocks = []
    for block in re.split(r"\n\s*\n", inspect.cleandoc(docstring or "")):
        if block.startswith(">>>"):
            blocks.append(f"```python\n{block}\n```")
        else:
            blocks.append(block)
    return "\n\n".join(blocks)


def of_class(kind):
    title = kind.__name__
    if kind is fontkeep.Store:
        title += signature(kind.__init__)
    parts = [f"### {title}", as_markdown(kind.__doc__)]
    if dataclasses.is_dataclass(kind):
        names = ", ".join(f"`{field.name}`" for field in dataclasses.fields(kind))
        parts.append(f"Members: {names}.")
    for name, member in public_members(kind):
        is_method = inspect.isfunction(member)
        call = signature(member) if is_method else ""
        parts += [f"#### {kind.__name__}.{name}{call}", as_markdown(member.__doc__)]
    return parts


def errors():
    rows = ["| | also | when |", "|---|---|---|"]
    for name in fontkeep.__all__:
        kind = getattr(fontkeep, name)
        if inspect.isclass(kind) and issubclass(kind, Exception):
            also = ", ".join(
                f"`{base.__name__}`" for base in kind.__bases__ if base.__module__ == "builtins"
            )
            when = " ".join(inspect.cleandoc(kind.__doc__).split("\n\n")[0].split())
            rows.append(f"| `{name}` | {also} | {when} |")
    return ["## Errors", as_markdown(fontkeep.FontKeepError.__doc__), "\n".join(rows)]


def reference():
    parts = [HEAD.rstrip()]
    for title, kinds in GROUPS.items():
        parts.append(f"## {title}")
        for kind in kinds:
            parts += of_class(kind)
    return "\n\n".join([*parts, *errors()]) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        PATH.write_text(reference(), encoding="utf-8")
    else:
        sys.stdout.write(reference())
