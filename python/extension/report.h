/* What the library reports of stores and files, as dicts. */
#ifndef FONTKEEP_PYTHON_REPORT_H
#define FONTKEEP_PYTHON_REPORT_H

#include <fontkeep/fontkeep.h>

#include "state.h"

/* Each NULL with an exception. */
PyObject *fkpy_inspection(const fk_inspection *inspection);
PyObject *fkpy_store_report(const fk_store_report *report);
PyObject *fkpy_recovery(const fk_recovery *recovery);
PyObject *fkpy_trash_entry(const fk_trash_entry *entry);
/* A list of such dicts. */
PyObject *fkpy_trash_list(const fk_trash_list *trash);

#endif
