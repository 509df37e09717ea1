#include "checkpoint/pickle_opcode.h"

#include <stdbool.h>
#include <string.h>

/* What follows an opcode's byte: nothing, a number of 1, 2, 4 or 8 bytes, a count of 1, 4 or 8
 * bytes and as many bytes, a line, two lines. A line ends with a line feed. */
typedef enum operand_kind {
    NOTHING,
    FIXED_1,
    FIXED_2,
    FIXED_4,
    FIXED_8,
    COUNTED_1,
    COUNTED_4,
    COUNTED_8,
    LINE,
    TWO_LINES
} operand_kind;

static const struct {
    const char *name; /* NULL: no opcode */
    operand_kind operand;
} opcodes[256] = {
    ['('] = {"MARK", NOTHING},
    [')'] = {"EMPTY_TUPLE", NOTHING},
    ['.'] = {"STOP", NOTHING},
    ['0'] = {"POP", NOTHING},
    ['1'] = {"POP_MARK", NOTHING},
    ['2'] = {"DUP", NOTHING},
    ['B'] = {"BINBYTES", COUNTED_4},
    ['C'] = {"SHORT_BINBYTES", COUNTED_1},
    ['F'] = {"FLOAT", LINE},
    ['G'] = {"BINFLOAT", FIXED_8},
    ['I'] = {"INT", LINE},
    ['J'] = {"BININT", FIXED_4},
    ['K'] = {"BININT1", FIXED_1},
    ['L'] = {"LONG", LINE},
    ['M'] = {"BININT2", FIXED_2},
    ['N'] = {"NONE", NOTHING},
    ['P'] = {"PERSID", LINE},
    ['Q'] = {"BINPERSID", NOTHING},
    ['R'] = {"REDUCE", NOTHING},
    ['S'] = {"STRING", LINE},
    ['T'] = {"BINSTRING", COUNTED_4},
    ['U'] = {"SHORT_BINSTRING", COUNTED_1},
    ['V'] = {"UNICODE", LINE},
    ['X'] = {"BINUNICODE", COUNTED_4},
    ['a'] = {"APPEND", NOTHING},
    ['b'] = {"BUILD", NOTHING},
    ['c'] = {"GLOBAL", TWO_LINES},
    ['d'] = {"DICT", NOTHING},
    ['e'] = {"APPENDS", NOTHING},
    ['g'] = {"GET", LINE},
    ['h'] = {"BINGET", FIXED_1},
    ['i'] = {"INST", TWO_LINES},
    ['j'] = {"LONG_BINGET", FIXED_4},
    ['l'] = {"LIST", NOTHING},
    ['o'] = {"OBJ", NOTHING},
    ['p'] = {"PUT", LINE},
    ['q'] = {"BINPUT", FIXED_1},
    ['r'] = {"LONG_BINPUT", FIXED_4},
    ['s'] = {"SETITEM", NOTHING},
    ['t'] = {"TUPLE", NOTHING},
    ['u'] = {"SETITEMS", NOTHING},
    ['}'] = {"EMPTY_DICT", NOTHING},
    [']'] = {"EMPTY_LIST", NOTHING},
    [0x80] = {"PROTO", FIXED_1},
    [0x81] = {"NEWOBJ", NOTHING},
    [0x82] = {"EXT1", FIXED_1},
    [0x83] = {"EXT2", FIXED_2},
    [0x84] = {"EXT4", FIXED_4},
    [0x85] = {"TUPLE1", NOTHING},
    [0x86] = {"TUPLE2", NOTHING},
    [0x87] = {"TUPLE3", NOTHING},
    [0x88] = {"NEWTRUE", NOTHING},
    [0x89] = {"NEWFALSE", NOTHING},
    [0x8A] = {"LONG1", COUNTED_1},
    [0x8B] = {"LONG4", COUNTED_4},
    [0x8C] = {"SHORT_BINUNICODE", COUNTED_1},
    [0x8D] = {"BINUNICODE8", COUNTED_8},
    [0x8E] = {"BINBYTES8", COUNTED_8},
    [0x8F] = {"EMPTY_SET", NOTHING},
    [0x90] = {"ADDITEMS", NOTHING},
    [0x91] = {"FROZENSET", NOTHING},
    [0x92] = {"NEWOBJ_EX", NOTHING},
    [0x93] = {"STACK_GLOBAL", NOTHING},
    [0x94] = {"MEMOIZE", NOTHING},
    [0x95] = {"FRAME", FIXED_8},
    [0x96] = {"BYTEARRAY8", COUNTED_8},
    [0x97] = {"NEXT_BUFFER", NOTHING},
    [0x98] = {"READONLY_BUFFER", NOTHING},
};

/* Bytes of the fixed operand, or of the count in front of a counted one. */
static size_t number_bytes(operand_kind operand) {
    static const uint8_t bytes[] = {
        [FIXED_1] = 1,   [FIXED_2] = 2,   [FIXED_4] = 4,   [FIXED_8] = 8,
        [COUNTED_1] = 1, [COUNTED_4] = 4, [COUNTED_8] = 8, [TWO_LINES] = 0,
    };
    return bytes[operand];
}

static uint64_t read_number(const uint8_t *at, size_t bytes) {
    uint64_t number = 0;
    for (size_t i = 0; i < bytes; i++) {
        number |= (uint64_t)at[i] << (8 * i);
    }
    return number;
}

/* Takes the line at `*at` and moves behind its line feed. */
static bool read_line(const uint8_t *pickle, size_t length, size_t *at, const uint8_t **ret_line,
                      size_t *ret_length) {
    const uint8_t *end = memchr(pickle + *at, '\n', length - *at);
    if (end == NULL) {
        return false;
    }
    *ret_line = pickle + *at;
    *ret_length = (size_t)(end - *ret_line);
    *at += *ret_length + 1;
    return true;
}

/* Reads the operand behind the opcode; false when the pickle ends before it does. */
static bool read_operand(const uint8_t *pickle, size_t length, operand_kind operand,
                         fk_pickle_step *step) {
    if (operand == LINE || operand == TWO_LINES) {
        return read_line(pickle, length, &step->next, &step->bytes, &step->length) &&
               (operand == LINE ||
                read_line(pickle, length, &step->next, &step->second, &step->second_length));
    }
    size_t bytes = number_bytes(operand);
    if (length - step->next < bytes) {
        return false;
    }
    step->number = read_number(pickle + step->next, bytes);
    step->next += bytes;
    if (operand < COUNTED_1) {
        return true;
    }
    if (length - step->next < step->number) {
        return false;
    }
    step->bytes = pickle + step->next;
    step->length = (size_t)step->number;
    step->next += step->length;
    return true;
}

fk_code fk_pickle_step_read(const uint8_t *pickle, size_t length, size_t at,
                            fk_pickle_step *ret_step, fk_error *err) {
    if (at >= length) {
        return fk_error_set(err, FK_E_CORRUPT, "the pickle ends without STOP");
    }
    fk_pickle_step step = {.opcode = pickle[at], .at = at, .next = at + 1};
    step.name = opcodes[step.opcode].name;
    if (step.name == NULL) {
        return fk_error_set(err, FK_E_CORRUPT, "0x%02X is no pickle opcode", step.opcode);
    }
    if (!read_operand(pickle, length, opcodes[step.opcode].operand, &step)) {
        return fk_error_set(err, FK_E_CORRUPT, "the operand of %s exceeds the pickle", step.name);
    }
    *ret_step = step;
    return FK_OK;
}
