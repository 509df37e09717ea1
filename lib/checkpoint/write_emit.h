/* The opcodes of a protocol 2 pickle, one call each, as Python's pickler chooses them. What cannot
 * be written is refused: the first refusal sticks, and the caller says where it was. */
#ifndef FK_CHECKPOINT_WRITE_EMIT_H
#define FK_CHECKPOINT_WRITE_EMIT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "checkpoint/write_memo.h"
#include "fontkeep/error.h"

typedef enum fk_write_opcode {
    FK_WRITE_MARK = '(',
    FK_WRITE_EMPTY_TUPLE = ')',
    FK_WRITE_STOP = '.',
    FK_WRITE_BINFLOAT = 'G',
    FK_WRITE_BININT = 'J',
    FK_WRITE_BININT1 = 'K',
    FK_WRITE_BININT2 = 'M',
    FK_WRITE_NONE = 'N',
    FK_WRITE_BINPERSID = 'Q',
    FK_WRITE_REDUCE = 'R',
    FK_WRITE_BINUNICODE = 'X',
    FK_WRITE_EMPTY_LIST = ']',
    FK_WRITE_APPEND = 'a',
    FK_WRITE_BUILD = 'b',
    FK_WRITE_GLOBAL_OPCODE = 'c',
    FK_WRITE_APPENDS = 'e',
    FK_WRITE_BINGET = 'h',
    FK_WRITE_LONG_BINGET = 'j',
    FK_WRITE_BINPUT = 'q',
    FK_WRITE_LONG_BINPUT = 'r',
    FK_WRITE_SETITEM = 's',
    FK_WRITE_TUPLE = 't',
    FK_WRITE_SETITEMS = 'u',
    FK_WRITE_EMPTY_DICT = '}',
    FK_WRITE_PROTO = 0x80,
    FK_WRITE_TUPLE1 = 0x85,
    FK_WRITE_TUPLE2 = 0x86,
    FK_WRITE_TUPLE3 = 0x87,
    FK_WRITE_NEWTRUE = 0x88,
    FK_WRITE_NEWFALSE = 0x89,
    FK_WRITE_LONG1 = 0x8A,
} fk_write_opcode;

typedef struct fk_write_emit {
    fk_buffer *buffer;
    fk_write_memo memo;
    uint64_t opcodes;
    fk_code code;        /* of the first refusal, or FK_OK */
    const char *refusal; /* what is refused and why; static text */
} fk_write_emit;

void fk_write_emit_init(fk_write_emit *emit, fk_buffer *buffer);
void fk_write_emit_finish(fk_write_emit *emit);

/* Refuses; only the first refusal counts. */
void fk_write_emit_refuse(fk_write_emit *emit, fk_code code, const char *refusal);

/* An opcode without an argument. */
void fk_write_emit_opcode(fk_write_emit *emit, fk_write_opcode opcode);

/* Memoises what was just made, under the next index, which is returned. The second form does it for
 * a value, which may be marked as open; `unhashable` says whether it cannot be a key. */
uint32_t fk_write_emit_put(fk_write_emit *emit);
void fk_write_emit_put_value(fk_write_emit *emit, const void *value, bool unhashable);
/* Marks a value that gets its index only when it is complete. */
void fk_write_emit_open_value(fk_write_emit *emit, const void *value);
void fk_write_emit_get(fk_write_emit *emit, uint32_t index);

/* A class or function; memoised. */
void fk_write_emit_global(fk_write_emit *emit, const char *module, const char *name);
/* A global called without arguments; memoised, but for the value itself. */
void fk_write_emit_empty_call(fk_write_emit *emit, const char *module, const char *name);

void fk_write_emit_bool(fk_write_emit *emit, bool truth);
void fk_write_emit_int(fk_write_emit *emit, int64_t number);
/* Two's complement, little endian, at least one byte; written with as few bytes as it takes. */
void fk_write_emit_big_int(fk_write_emit *emit, const uint8_t *bytes, size_t length);
void fk_write_emit_float(fk_write_emit *emit, double number);

/* A text (UTF-8, surrogates allowed), memoised; an equal one of the same domain becomes a reference
 * to it. Domain 0: always a new one. Refuses what is no UTF-8 or too long. */
void fk_write_emit_text(fk_write_emit *emit, fk_write_domain domain, const char *text,
                        size_t length);
/* The text of a value of the kind STRING: a long one is found again by its address, without a look
 * at all of it. */
void fk_write_emit_string(fk_write_emit *emit, const void *value, const char *text, size_t length);
/* The bytes as characters of latin1; memoised. */
void fk_write_emit_latin1(fk_write_emit *emit, const uint8_t *bytes, size_t length);

/* Makes a tuple of the last `count` objects, memoised. More than 3 (or 0 that were not written with
 * FK_WRITE_EMPTY_TUPLE) need an FK_WRITE_MARK before them. */
void fk_write_emit_tuple(fk_write_emit *emit, size_t count);

#endif
