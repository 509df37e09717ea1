"""fontkeep: a keeper of trained personality fonts.

    store = fontkeep.Store("networks", create=True)
    run_id = store.save_model("1-fruity", model, vector, image, {"A": image}, {"metrics": {}})
    weights, vector, metadata = store.load_model("1-fruity")

The functions of this module are the methods of the same names on the default store:
$FONTKEEP_STORE, else ./networks, looked up by each call.
"""

from __future__ import annotations

from fontkeep import _native
from fontkeep.draft import RunDraft
from fontkeep.errors import (
    CorruptRunError,
    FontExistsError,
    FontKeepError,
    FontKeepWarning,
    FontNotFoundError,
    IncompleteRunError,
    InvalidFontIdError,
    InvalidInputError,
    LimitError,
    NotDurableError,
    RunNotFoundError,
    StoreAccessError,
    StoreBusyError,
    StoreFullError,
    StoreIOError,
    StoreNotFoundError,
    UnsupportedDataError,
    UnsupportedVersionError,
)
from fontkeep.metadata import Problem, RunFile, RunMetadata
from fontkeep.reports import (
    Change,
    Changes,
    Inspection,
    Purge,
    Recovery,
    Removal,
    Restoration,
    Selftest,
    StoreStatus,
    TensorInfo,
    TrashEntry,
    Verification,
)
from fontkeep.run import Run
from fontkeep.store import Store, default

__all__ = [
    "Change",
    "Changes",
    "CorruptRunError",
    "FontExistsError",
    "FontKeepError",
    "FontKeepWarning",
    "FontNotFoundError",
    "IncompleteRunError",
    "Inspection",
    "InvalidFontIdError",
    "InvalidInputError",
    "LimitError",
    "NotDurableError",
    "Problem",
    "Purge",
    "Recovery",
    "Removal",
    "Restoration",
    "Run",
    "RunDraft",
    "RunFile",
    "RunMetadata",
    "RunNotFoundError",
    "Selftest",
    "Store",
    "StoreAccessError",
    "StoreBusyError",
    "StoreFullError",
    "StoreIOError",
    "StoreNotFoundError",
    "StoreStatus",
    "TensorInfo",
    "TrashEntry",
    "UnsupportedDataError",
    "UnsupportedVersionError",
    "Verification",
    "get_run_info",
    "list_fonts",
    "list_runs",
    "load_model",
    "save_model",
]

__version__ = _native.version()

save_model = default.save_model
load_model = default.load_model
list_fonts = default.list_fonts
list_runs = default.list_runs
get_run_info = default.get_run_info
