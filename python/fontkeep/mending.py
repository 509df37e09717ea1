"""Changes of runs that are there: adopt and migrate. Each publishes a new generation, and keeps the
one before in the trash."""

from __future__ import annotations

from typing import Any

from fontkeep.draft import weights_tree
from fontkeep.handle import Handle, warn
from fontkeep.reports import Changes
from fontkeep.text import font_text, optional_text


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


def _warn_of_refused(records: list[dict[str, Any]]) -> None:
    for record in records:
        if record["refusal"] is not None:
            run = f"{record['font_id']} {record['run_id']}"
            why = f"{record['refusal']} ({record['path']}); {record['hint']}"
            warn(f"{run} is left as it was: {why}")
