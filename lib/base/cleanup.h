/* The one cleanup style of the tree: variables that release what they hold when they go out of
 * scope. FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
 *     ...
 *     *ret_values = fk_take(values);      hands over: the variable is NULL from now on
 */
#ifndef FK_BASE_CLEANUP_H
#define FK_BASE_CLEANUP_H

#include <stddef.h>
#include <stdlib.h>

#define FK_SCOPED(function) __attribute__((cleanup(function)))

/* Defines `destroyp`, which destroys what a scoped variable of type `type *` points to. */
#define FK_DEFINE_SCOPED(type, destroy)                                                            \
    static inline void destroy##p(type **variable) {                                               \
        destroy(*variable);                                                                        \
    }                                                                                              \
    struct fk_require_semicolon

#define fk_take(variable)                                                                          \
    (__extension__({                                                                               \
        __typeof__(variable) taken_ = (variable);                                                  \
        (variable) = NULL;                                                                         \
        taken_;                                                                                    \
    }))

/* For memory from malloc, of any type: FK_SCOPED(fk_freep) char *text = NULL; */
static inline void fk_freep(void *variable) {
    free(*(void **)variable);
}

#endif
