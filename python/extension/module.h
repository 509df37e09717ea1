/* The module fontkeep._native: what the package fontkeep is built on. No part of the interface. */
#ifndef FONTKEEP_PYTHON_MODULE_H
#define FONTKEEP_PYTHON_MODULE_H

#include "state.h"

/* The types, each beside its methods. */
extern PyType_Spec fkpy_store_spec;
extern PyType_Spec fkpy_draft_spec;
extern PyType_Spec fkpy_run_spec;
extern PyType_Spec fkpy_loaded_spec;
extern PyType_Spec fkpy_memory_spec;
extern PyType_Spec fkpy_tree_spec;

PyMODINIT_FUNC PyInit__native(void);

#endif
