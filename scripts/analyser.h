/* Forced into every file of lib/ that scripts/check analyses. The analyser sees one file at a time;
 * this tells it that the functions which fill in an error return a failure, never FK_OK. */
#include "base/error.h"

#define fk_error_set(err, code, ...) (fk_error_set((err), (code), __VA_ARGS__), (code))
#define fk_error_no_memory(err)      (fk_error_no_memory(err), FK_E_NO_MEMORY)
