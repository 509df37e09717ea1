#include "checkpoint/write_emit.h"

#include <string.h>

#include "base/limits.h"
#include "base/text.h"

void fk_write_emit_init(fk_write_emit *emit, fk_buffer *buffer) {
    *emit = (fk_write_emit){.buffer = buffer, .memo.pickle = buffer};
}

void fk_write_emit_finish(fk_write_emit *emit) {
    fk_write_memo_finish(&emit->memo);
}

void fk_write_emit_refuse(fk_write_emit *emit, fk_code code, const char *refusal) {
    if (emit->code == FK_OK) {
        emit->code = code;
        emit->refusal = refusal;
    }
}

static void check_memory(fk_write_emit *emit, bool good) {
    if (!good || emit->buffer->failed) {
        fk_write_emit_refuse(emit, FK_E_NO_MEMORY, NULL);
    }
}

void fk_write_emit_opcode(fk_write_emit *emit, fk_write_opcode opcode) {
    emit->opcodes++;
    check_memory(emit, fk_buffer_append_byte(emit->buffer, (uint8_t)opcode));
}

uint32_t fk_write_emit_put(fk_write_emit *emit) {
    uint32_t index = emit->memo.next++;
    if (index <= UINT8_MAX) {
        fk_write_emit_opcode(emit, FK_WRITE_BINPUT);
        fk_buffer_append_byte(emit->buffer, (uint8_t)index);
    } else {
        fk_write_emit_opcode(emit, FK_WRITE_LONG_BINPUT);
        fk_buffer_append_u32(emit->buffer, index);
    }
    return index;
}

void fk_write_emit_put_value(fk_write_emit *emit, const void *value, bool unhashable) {
    fk_write_memo_entry *entry = fk_write_memo_find_value(&emit->memo, value);
    if (entry == NULL) {
        fk_write_emit_open_value(emit, value);
        entry = fk_write_memo_find_value(&emit->memo, value);
    }
    uint32_t index = fk_write_emit_put(emit);
    if (entry != NULL) {
        entry->index = index;
        entry->unhashable = unhashable;
    }
}

void fk_write_emit_open_value(fk_write_emit *emit, const void *value) {
    check_memory(emit, fk_write_memo_put_value(&emit->memo, value, FK_WRITE_OPEN));
}

void fk_write_emit_get(fk_write_emit *emit, uint32_t index) {
    if (index <= UINT8_MAX) {
        fk_write_emit_opcode(emit, FK_WRITE_BINGET);
        fk_buffer_append_byte(emit->buffer, (uint8_t)index);
    } else {
        fk_write_emit_opcode(emit, FK_WRITE_LONG_BINGET);
        fk_buffer_append_u32(emit->buffer, index);
    }
}

/* Memoises the text just written. */
static void put_text(fk_write_emit *emit, fk_write_domain domain, size_t length) {
    size_t place = emit->buffer->length - length;
    uint32_t index = fk_write_emit_put(emit);
    if (domain != 0 && emit->code == FK_OK) {
        check_memory(emit, fk_write_memo_put_text(&emit->memo, domain, place, length, index));
    }
}

/* GLOBAL | module \n name \n, which is also how the memo knows it. */
void fk_write_emit_global(fk_write_emit *emit, const char *module, const char *name) {
    char text[128];
    size_t length = fk_text_copy(text, sizeof text, module);
    length += fk_text_copy(text + length, sizeof text - length, "\n");
    length += fk_text_copy(text + length, sizeof text - length, name);
    length += fk_text_copy(text + length, sizeof text - length, "\n");
    const fk_write_memo_entry *entry =
        fk_write_memo_find_text(&emit->memo, FK_WRITE_GLOBAL, text, length);
    if (entry != NULL) {
        fk_write_emit_get(emit, entry->index);
        return;
    }
    fk_write_emit_opcode(emit, FK_WRITE_GLOBAL_OPCODE);
    check_memory(emit, fk_buffer_append(emit->buffer, text, length));
    put_text(emit, FK_WRITE_GLOBAL, length);
}

void fk_write_emit_empty_call(fk_write_emit *emit, const char *module, const char *name) {
    fk_write_emit_global(emit, module, name);
    fk_write_emit_opcode(emit, FK_WRITE_EMPTY_TUPLE);
    fk_write_emit_opcode(emit, FK_WRITE_REDUCE);
}

void fk_write_emit_bool(fk_write_emit *emit, bool truth) {
    fk_write_emit_opcode(emit, truth ? FK_WRITE_NEWTRUE : FK_WRITE_NEWFALSE);
}

void fk_write_emit_int(fk_write_emit *emit, int64_t number) {
    if (number >= 0 && number <= UINT8_MAX) {
        fk_write_emit_opcode(emit, FK_WRITE_BININT1);
        fk_buffer_append_byte(emit->buffer, (uint8_t)number);
    } else if (number >= 0 && number <= UINT16_MAX) {
        fk_write_emit_opcode(emit, FK_WRITE_BININT2);
        fk_buffer_append_u16(emit->buffer, (uint16_t)number);
    } else if (number >= INT32_MIN && number <= INT32_MAX) {
        fk_write_emit_opcode(emit, FK_WRITE_BININT);
        fk_buffer_append_u32(emit->buffer, (uint32_t)number);
    } else {
        uint8_t bytes[sizeof number];
        for (size_t i = 0; i < sizeof bytes; i++) {
            bytes[i] = (uint8_t)((uint64_t)number >> (8 * i));
        }
        fk_write_emit_big_int(emit, bytes, sizeof bytes);
    }
}

void fk_write_emit_big_int(fk_write_emit *emit, const uint8_t *bytes, size_t length) {
    /* a last byte that only repeats the sign says nothing */
    while (length > 1 && ((bytes[length - 1] == 0x00 && (bytes[length - 2] & 0x80) == 0) ||
                          (bytes[length - 1] == 0xFF && (bytes[length - 2] & 0x80) != 0))) {
        length--;
    }
    if (length > FK_LIMIT_BIG_INT_BYTES) {
        fk_write_emit_refuse(emit, FK_E_LIMIT, "integer of more than 255 bytes");
        return;
    }
    fk_write_emit_opcode(emit, FK_WRITE_LONG1);
    fk_buffer_append_byte(emit->buffer, (uint8_t)length);
    check_memory(emit, fk_buffer_append(emit->buffer, bytes, length));
}

void fk_write_emit_float(fk_write_emit *emit, double number) {
    uint64_t bits = 0;
    memcpy(&bits, &number, sizeof bits);
    fk_write_emit_opcode(emit, FK_WRITE_BINFLOAT);
    fk_buffer_append_u32(emit->buffer, __builtin_bswap32((uint32_t)(bits >> 32)));
    fk_buffer_append_u32(emit->buffer, __builtin_bswap32((uint32_t)bits));
}

/* UTF-8, where lone surrogates may stand as three bytes each: ED A0..BF 80..BF. */
static bool is_python_text(const char *text, size_t length) {
    for (size_t i = 0; i < length;) {
        const uint8_t *at = (const uint8_t *)text + i;
        uint32_t character = 0;
        size_t step = at[0] < 0x80 ? 1 : fk_text_decode_utf8(text + i, length - i, &character);
        if (step == 0 && length - i >= 3 && at[0] == 0xED && at[1] >= 0xA0 && at[1] <= 0xBF &&
            at[2] >= 0x80 && at[2] <= 0xBF) {
            step = 3;
        }
        if (step == 0) {
            return false;
        }
        i += step;
    }
    return true;
}

/* BINUNICODE | u32 length; the text must follow. */
static bool emit_text_header(fk_write_emit *emit, size_t length) {
    if (length > FK_LIMIT_STRING_BYTES) {
        fk_write_emit_refuse(emit, FK_E_LIMIT, "text of more than 16 MiB");
        return false;
    }
    fk_write_emit_opcode(emit, FK_WRITE_BINUNICODE);
    check_memory(emit, fk_buffer_append_u32(emit->buffer, (uint32_t)length));
    return emit->code == FK_OK;
}

void fk_write_emit_text(fk_write_emit *emit, fk_write_domain domain, const char *text,
                        size_t length) {
    const fk_write_memo_entry *entry =
        domain == 0 ? NULL : fk_write_memo_find_text(&emit->memo, domain, text, length);
    if (entry != NULL) {
        fk_write_emit_get(emit, entry->index);
        return;
    }
    if (!is_python_text(text, length)) {
        fk_write_emit_refuse(emit, FK_E_UNSUPPORTED, "string that is no UTF-8");
        return;
    }
    if (emit_text_header(emit, length)) {
        check_memory(emit, fk_buffer_append(emit->buffer, text, length));
        put_text(emit, domain, length);
    }
}

void fk_write_emit_string(fk_write_emit *emit, const void *value, const char *text, size_t length) {
    enum { LONG_BYTES = 1024 }; /* what is shorter is hashed as fast as its address is found */
    const fk_write_memo_entry *entry =
        length < LONG_BYTES ? NULL : fk_write_memo_find_value(&emit->memo, value);
    if (entry != NULL) {
        fk_write_emit_get(emit, entry->index);
        return;
    }
    fk_write_emit_text(emit, FK_WRITE_STRING, text, length);
    if (length >= LONG_BYTES && emit->code == FK_OK) {
        entry = fk_write_memo_find_text(&emit->memo, FK_WRITE_STRING, text, length);
        check_memory(emit,
                     entry != NULL && fk_write_memo_put_value(&emit->memo, value, entry->index));
    }
}

void fk_write_emit_latin1(fk_write_emit *emit, const uint8_t *bytes, size_t length) {
    size_t encoded = length;
    for (size_t i = 0; i < length; i++) {
        encoded += bytes[i] >= 0x80;
    }
    /* Python has one object for each text of one latin1 character, and a new one for all others */
    fk_write_domain domain = length == 1 ? FK_WRITE_LATIN1_CHARACTER : 0;
    char first[4];
    if (length == 1) {
        fk_write_emit_text(emit, domain, first, fk_text_encode_utf8(bytes[0], first));
        return;
    }
    if (!emit_text_header(emit, encoded)) {
        return;
    }
    uint8_t *into = fk_buffer_extend(emit->buffer, encoded);
    check_memory(emit, into != NULL);
    for (size_t i = 0; into != NULL && i < length; i++) {
        if (bytes[i] >= 0x80) {
            *into++ = (uint8_t)(0xC0 | bytes[i] >> 6);
            *into++ = (uint8_t)(0x80 | (bytes[i] & 0x3F));
        } else {
            *into++ = bytes[i];
        }
    }
    fk_write_emit_put(emit);
}

void fk_write_emit_tuple(fk_write_emit *emit, size_t count) {
    static const fk_write_opcode short_tuples[] = {FK_WRITE_TUPLE, FK_WRITE_TUPLE1, FK_WRITE_TUPLE2,
                                                   FK_WRITE_TUPLE3};
    fk_write_emit_opcode(emit, count <= 3 ? short_tuples[count] : FK_WRITE_TUPLE);
    fk_write_emit_put(emit);
}
