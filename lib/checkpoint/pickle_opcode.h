/* The opcodes of a pickle, all 68 of protocols 0 to 5: their names and operands. */
#ifndef FK_CHECKPOINT_PICKLE_OPCODE_H
#define FK_CHECKPOINT_PICKLE_OPCODE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* The bytes of the opcodes that are told apart by name in code. */
enum {
    FK_OP_PROTO = 0x80,
    FK_OP_STOP = '.',
    FK_OP_FRAME = 0x95,
    FK_OP_GLOBAL = 'c',
    FK_OP_INST = 'i',
};

/* One opcode, taken apart. */
typedef struct fk_pickle_step {
    uint8_t opcode;
    const char *name;     /* "BINPUT" */
    size_t at;            /* offset of the opcode in the pickle */
    size_t next;          /* of the next one */
    uint64_t number;      /* a fixed-size operand, little endian, not sign-extended */
    const uint8_t *bytes; /* a counted operand, or the first line of a text one */
    size_t length;
    const uint8_t *second; /* the second line of GLOBAL and INST */
    size_t second_length;
} fk_pickle_step;

/* Takes apart the opcode at `at`. FK_E_CORRUPT when it is none or its operand exceeds the pickle.
 */
fk_code fk_pickle_step_read(const uint8_t *pickle, size_t length, size_t at,
                            fk_pickle_step *ret_step, fk_error *err);

#endif
