/* Files in a run's directory that its manifest does not list. They change no health. */
#ifndef FK_STORE_STRANGER_H
#define FK_STORE_STRANGER_H

#include "base/error.h"
#include "store/run/inside.h"
#include "store/run/run.h"

/* Adds a problem for each. Where the manifest's files are not known they are read, but only when a
 * name looks out of place. */
fk_code fk_stranger_find(fk_run *run, const fk_inside *inside, fk_error *err);

#endif
