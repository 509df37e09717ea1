/* Memory that runs out on request. A test that uses it is linked with fake_memory_dep, which wraps
 * malloc, calloc, realloc, reallocarray and strdup of all that is linked statically.
 *
 *     for (size_t nth = 1;; nth++) {
 *         fake_memory_fail(nth);
 *         fk_code code = the_call(...);
 *         if (!fake_memory_relent()) {        the call makes fewer than `nth` allocations
 *             assert_int_equal(code, FK_OK);
 *             break;
 *         }
 *         assert_int_equal(code, FK_E_NO_MEMORY);
 *     }
 */
#ifndef FAKE_MEMORY_H
#define FAKE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* The `nth` allocation from now on fails (1 is the next), once; any thread's counts. */
void fake_memory_fail(size_t nth);
/* And so do all that follow. */
void fake_memory_fail_ever_after(size_t nth);
/* No allocation fails any more. Tells whether one did. */
bool fake_memory_relent(void);

#endif
