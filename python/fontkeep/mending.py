"""Changes of runs that are there: adopt, migrate and regenerate. Each publishes a new generation,
and keeps the one before in the trash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fontkeep import _native
from fontkeep.draft import weights_tree
from fontkeep.handle import Handle, warn
from fontkeep.images import to_pixels
from fontkeep.reports import Changes
from fontkeep.tensors import builder
from fontkeep.text import font_text, optional_text

# renderer(label, weights, personality_vector) -> image; label None: the sample
Renderer = Callable[[str | None, Any, Any], Any]


class Mending(Handle):
    """The part of a store that gives runs new generations."""

    def adopt(self, font_id: str) -> Changes:
        """Gives the runs of a font that have no manifest one. Runs with damaged files are left as
        they were, with a warning.

        >>> store.adopt("1-fruity")
        Changes(runs=[])
        """
        records = self._store.adopt(font_text(font_id))
        _warn_of_refused(records)
        return Changes.of(records)

    def migrate(
        self, font_id: str, run_id: str | None = None, *, personality_vector: Any = None
    ) -> Changes:
        """Writes weights of version v0 anew as v1, compared with the old ones tensor by tensor;
        without `run_id` of all runs of the font.

        >>> store.migrate("1-fruity")
        Changes(runs=[])
        """
        tree = None
        if personality_vector is not None:
            tree = weights_tree(None, personality_vector, None)
        run = optional_text(run_id, "run_id")
        records = self._store.migrate(font_text(font_id), run, tree)
        _warn_of_refused(records)
        return Changes.of(records)

    def regenerate(
        self,
        font_id: str,
        run_id: str | None,
        renderer: Renderer | None = None,
        *,
        render_sample: bool = False,
    ) -> Changes:
        """Makes the images of a run anew that are missing or damaged: `sample.png` as a contact
        sheet of the glyphs, glyphs by `renderer(label, weights, personality_vector)`, which gives
        an image in any form that saving takes.

        `render_sample` lets the renderer draw the sample, too, with None as label. All other files
        are verified and stay. What cannot be made anew (feedback, glyphs without a renderer) is
        left as it is, with a warning. What the renderer raises is raised, and nothing is changed.
        A run without a manifest that lacks its sample is adopted on the way.

        >>> def draw(label, weights, personality_vector):
        ...     return image
        >>> store.regenerate("1-fruity", "latest", draw).runs[0].changed
        []

        Raises `FontNotFoundError`, `RunNotFoundError`; `CorruptRunError` when manifest or weights
        are damaged; `InvalidInputError` for an image that cannot be saved.
        """
        draw = None if renderer is None else _drawing(renderer)
        run = optional_text(run_id, "run_id")
        records = self._store.regenerate(font_text(font_id), run, draw, render_sample)
        for record in records:
            for message in record["left"]:
                warn(f"{record['font_id']} {record['run_id']}: {message}")
        return Changes.of(records)


def _drawing(renderer: Renderer) -> Callable[[str | None, _native.Loaded], _native.Pixels]:
    """The renderer as the extension calls it. All images are drawn from the same objects."""
    if not callable(renderer):
        raise TypeError(f"renderer is {type(renderer).__name__}, not callable")
    contents: tuple[Any, Any, Any] | None = None

    def draw(label: str | None, loaded: _native.Loaded) -> _native.Pixels:
        nonlocal contents
        name = "the sample" if label is None else f"glyph {label!r}"
        try:
            if contents is None:
                contents = loaded.contents(builder())
            return to_pixels(renderer(label, contents[0], contents[1]), name)
        except Exception as error:
            error.add_note(f"while {name} was drawn")
            raise

    return draw


def _warn_of_refused(records: list[dict[str, Any]]) -> None:
    for record in records:
        if record["refusal"] is not None:
            run = f"{record['font_id']} {record['run_id']}"
            why = f"{record['refusal']} ({record['path']}); {record['hint']}"
            warn(f"{run} is left as it was: {why}")
