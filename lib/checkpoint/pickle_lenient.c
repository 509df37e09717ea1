#include "checkpoint/pickle_lenient.h"

#include <string.h>

#include "base/limits.h"
#include "base/text.h"

/* The number of a text operand; 0 when it is none that fits. */
static int64_t read_number(const fk_pickle_step *step) {
    int64_t number = 0;
    size_t at = step->length > 0 && step->bytes[0] == '-' ? 1 : 0;
    bool negative = at == 1;
    for (; at < step->length && step->bytes[at] >= '0' && step->bytes[at] <= '9'; at++) {
        if (number > (INT64_MAX - 9) / 10) {
            return 0;
        }
        number = number * 10 + (step->bytes[at] - '0');
    }
    return negative ? -number : number;
}

/* A text operand as a str, without the quotes of STRING, escapes left as they are. */
static fk_code push_text(fk_machine *machine, const fk_pickle_step *step) {
    const uint8_t *bytes = step->bytes;
    size_t length = step->length;
    bool quoted = step->opcode == 'S' && length >= 2 && (bytes[0] == '\'' || bytes[0] == '"');
    if (quoted) {
        bytes++;
        length -= 2;
    }
    for (size_t at = 0; at < length;) {
        uint32_t character;
        size_t taken = fk_text_decode_utf8((const char *)bytes + at, length - at, &character);
        if (taken == 0) {
            return fk_machine_push_value(machine, machine->none);
        }
        at += taken;
    }
    if (length > FK_LIMIT_STRING_BYTES) {
        return fk_machine_push_value(machine, machine->none);
    }
    return fk_machine_push_value(machine,
                                 fk_value_text(machine->values, FK_KIND_STRING, bytes, length));
}

/* POP takes an item, or a mark that stands on top. */
static fk_code pop(fk_machine *machine) {
    fk_item item;
    size_t first;
    bool mark_on_top =
        machine->mark_count > 0 && machine->marks[machine->mark_count - 1] == machine->height;
    return mark_on_top ? fk_machine_unmark(machine, &first) : fk_machine_pop(machine, &item);
}

static fk_code duplicate(fk_machine *machine) {
    fk_item *top;
    fk_code code = fk_machine_top(machine, &top);
    return code == FK_OK ? fk_machine_push(machine, *top) : code;
}

/* LIST, DICT and FROZENSET: a container is put below the items, then filled as any other. */
static fk_code collect(fk_machine *machine, fk_kind kind, uint8_t filler) {
    size_t first;
    fk_code code = fk_machine_unmark(machine, &first);
    if (code == FK_OK) {
        code = fk_machine_push_value(machine, fk_value_container(machine->values, kind));
    }
    if (code != FK_OK) {
        return code;
    }
    fk_item container = machine->stack[machine->height - 1];
    memmove(&machine->stack[first + 1], &machine->stack[first],
            (machine->height - 1 - first) * sizeof container);
    machine->stack[first] = container;
    /* the mark that was taken away, now above the container */
    size_t height = machine->height;
    machine->height = first + 1;
    code = fk_machine_mark(machine);
    machine->height = height;
    const fk_pickle_step fill = {.opcode = filler};
    return code == FK_OK ? fk_pickle_handler_of(filler)(machine, &fill) : code;
}

/* Calls the item at `callee` with those above it, which make room for the result. */
static fk_code call_above(fk_machine *machine, size_t callee) {
    const fk_pickle_step none = {0};
    size_t height = machine->height;
    machine->height = callee + 1;
    fk_code code = fk_machine_mark(machine);
    machine->height = height;
    if (code == FK_OK) {
        code = fk_pickle_handler_of('t')(machine, &none);
    }
    return code == FK_OK ? fk_pickle_reduce(machine, &none) : code;
}

/* OBJ: a mark, a class, its arguments. */
static fk_code object(fk_machine *machine) {
    size_t first;
    fk_code code = fk_machine_unmark(machine, &first);
    if (code == FK_OK && first == machine->height) {
        return fk_error_set(machine->err, FK_E_CORRUPT, "OBJ has no class");
    }
    return code == FK_OK ? call_above(machine, first) : code;
}

/* INST: a mark, arguments; the class is the operand. */
static fk_code instance(fk_machine *machine, const fk_pickle_step *step) {
    size_t first;
    fk_code code = fk_machine_unmark(machine, &first);
    if (code == FK_OK) {
        code = fk_machine_push_global(machine, step->bytes, step->length, step->second,
                                      step->second_length);
    }
    if (code != FK_OK) {
        return code;
    }
    fk_item class = machine->stack[machine->height - 1];
    memmove(&machine->stack[first + 1], &machine->stack[first],
            (machine->height - 1 - first) * sizeof class);
    machine->stack[first] = class;
    return call_above(machine, first);
}

/* NEWOBJ_EX: a class, arguments, keyword arguments, which are let go. */
static fk_code new_object(fk_machine *machine) {
    const fk_pickle_step none = {0};
    fk_item keywords;
    fk_code code = fk_machine_pop(machine, &keywords);
    return code == FK_OK ? fk_pickle_newobj(machine, &none) : code;
}

/* EXT1, EXT2 and EXT4 name a global by a number that only the running program knows. */
static fk_code extension(fk_machine *machine) {
    static const uint8_t module[] = "copyreg";
    static const uint8_t name[] = "extension";
    return fk_machine_push_global(machine, module, sizeof module - 1, name, sizeof name - 1);
}

fk_code fk_pickle_run_lenient(fk_machine *machine, const fk_pickle_step *step) {
    size_t first;
    switch (step->opcode) {
    case '0':
        return pop(machine);
    case '1': {
        fk_code code = fk_machine_unmark(machine, &first);
        machine->height = code == FK_OK ? first : machine->height;
        return code;
    }
    case '2':
        return duplicate(machine);
    case 'l':
        return collect(machine, FK_KIND_LIST, 'e');
    case 'd':
        return collect(machine, FK_KIND_DICT, 'u');
    case 0x91:
        return collect(machine, FK_KIND_SET, 0x90);
    case 'g':
        return fk_machine_memo_get(machine, (uint64_t)read_number(step));
    case 'p':
        return fk_machine_memo_put(machine, (uint64_t)read_number(step));
    case 'I':
    case 'L':
        return fk_machine_push_value(machine, fk_value_int(machine->values, read_number(step)));
    case 'S':
    case 'T':
    case 'V':
        return push_text(machine, step);
    case 'i':
        return instance(machine, step);
    case 'o':
        return object(machine);
    case 0x92:
        return new_object(machine);
    case 0x82:
    case 0x83:
    case 0x84:
        return extension(machine);
    case 0x98: /* READONLY_BUFFER changes nothing that could be seen */
        return FK_OK;
    default: /* FLOAT, LONG4, PERSID, NEXT_BUFFER: some value */
        return fk_machine_push_value(machine, machine->none);
    }
}
