/* Arithmetic that tells when it would wrap. True means the result is good. */
#ifndef FK_BASE_CHECKED_H
#define FK_BASE_CHECKED_H

#include <stdbool.h>
#include <stdint.h>

static inline bool fk_checked_add(uint64_t a, uint64_t b, uint64_t *ret_sum) {
    return !__builtin_add_overflow(a, b, ret_sum);
}

static inline bool fk_checked_multiply(uint64_t a, uint64_t b, uint64_t *ret_product) {
    return !__builtin_mul_overflow(a, b, ret_product);
}

#endif
