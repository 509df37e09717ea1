#include "checkpoint/pickle_read.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "checkpoint/pickle_handlers.h"
#include "checkpoint/pickle_lenient.h"
#include "checkpoint/pickle_machine.h"
#include "checkpoint/pickle_place.h"

/* An opcode must lie in the frame that is open, whole, and a frame follows a frame at its end. */
static fk_code check_frame(fk_machine *machine, const fk_pickle_step *step) {
    if (machine->frame_end != 0 && step->at == machine->frame_end) {
        machine->frame_end = 0;
    }
    if (machine->frame_end != 0 && step->next > machine->frame_end) {
        return fk_error_set(machine->err, FK_E_CORRUPT, "%s reaches beyond its frame", step->name);
    }
    if (step->opcode != FK_OP_FRAME) {
        return FK_OK;
    }
    if (machine->frame_end != 0) {
        return fk_error_set(machine->err, FK_E_CORRUPT, "a frame starts within a frame");
    }
    if (step->number == 0 || step->number > machine->length - step->next) {
        return fk_error_set(machine->err, FK_E_CORRUPT, "a frame of %llu bytes exceeds the pickle",
                            (unsigned long long)step->number);
    }
    machine->frame_end = step->next + step->number;
    return FK_OK;
}

static fk_code check_protocol(fk_machine *machine, const fk_pickle_step *step) {
    if (step->at != 0) {
        return fk_error_set(machine->err, FK_E_CORRUPT, "PROTO stands within the pickle");
    }
    if (step->number > 5) {
        return fk_error_set(machine->err, FK_E_UNSUPPORTED, "pickle protocol %llu is not known",
                            (unsigned long long)step->number);
    }
    return FK_OK;
}

/* What Python's pickler uses an opcode for that is not read, and what to do about it. */
static fk_code refuse(fk_machine *machine, const fk_pickle_step *step) {
    static const struct {
        uint8_t opcode;
        const char *use;
        const char *hint;
    } uses[] = {
        {0x8B, "for an int of more than 255 bytes", "store it as bytes or text"},
        {0x91, "for a frozenset", "convert it to a set and save again"},
        {'0', "for a tuple that contains itself", "break the cycle, or store a list instead"},
        {'1', "for a tuple that contains itself", "break the cycle, or store a list instead"},
    };
    static const char texts[] = "FILPSVdgilop"; /* opcodes that protocols 0 and 1 need */
    const char *use = NULL;
    const char *hint = NULL;
    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++) {
        if (uses[i].opcode == step->opcode) {
            use = uses[i].use;
            hint = uses[i].hint;
        }
    }
    if (memchr(texts, step->opcode, sizeof texts - 1) != NULL) {
        use = "of protocol 0 or 1";
        hint = "save it again with pickle_protocol=2";
    }
    fk_error_set(machine->err, FK_E_UNSUPPORTED, "the pickle uses %s%s%s, which is not read",
                 step->name, use != NULL ? " " : "", use != NULL ? use : "");
    if (hint != NULL) {
        fk_error_hint(machine->err, "%s", hint);
    }
    return FK_E_UNSUPPORTED;
}

static fk_code run(fk_machine *machine, const fk_pickle_step *step) {
    fk_code code = check_frame(machine, step);
    if (code != FK_OK || step->opcode == FK_OP_FRAME) {
        return code;
    }
    if (step->opcode == FK_OP_PROTO) {
        return check_protocol(machine, step);
    }
    if (step->opcode == FK_OP_STOP) {
        machine->stopped = true;
        return FK_OK;
    }
    fk_pickle_handler handler = fk_pickle_handler_of(step->opcode);
    if (handler == NULL && fk_machine_inspects(machine)) {
        code = machine->host->foreign(machine->host->user, step->name, machine->base + machine->at,
                                      machine->err);
        return code == FK_OK ? fk_pickle_run_lenient(machine, step) : code;
    }
    return handler == NULL ? refuse(machine, step) : handler(machine, step);
}

/* Says where in the object the refused opcode stands, when the rest of the pickle tells. */
static void add_place(fk_machine *machine, const uint8_t *bytes) {
    char place[FK_DOTTED_PATH_BYTES];
    if (!fk_machine_inspects(machine) && !machine->stopped &&
        fk_pickle_place(machine, bytes, place)) {
        size_t length = strlen(machine->err->message);
        snprintf(machine->err->message + length, sizeof machine->err->message - length, ", at '%s'",
                 place);
    }
}

/* Completes the error that was found at the opcode being run, and gives it to the caller. */
static fk_code fail_at(fk_machine *machine, fk_code code, const uint8_t *bytes, fk_error *err) {
    fk_error *found = machine->err;
    if (found->code != code) { /* from lib/value, whose codes come without words */
        fk_error_set(found, code, "%s",
                     code == FK_E_LIMIT ? "a value has more items than a value may have"
                                        : "memory could not be had for what the pickle holds");
    }
    if (found->offset == FK_NO_OFFSET && code != FK_E_NO_MEMORY) {
        fk_error_offset(found, machine->base + machine->at);
    }
    if (code == FK_E_UNSUPPORTED || code == FK_E_CORRUPT) {
        add_place(machine, bytes);
    }
    if (code == FK_E_UNSUPPORTED && found->subject == FK_SUBJECT_NONE) {
        fk_error_subject(found, FK_SUBJECT_DATA);
    }
    if (found->hint[0] == '\0' && code == FK_E_CORRUPT) {
        fk_error_hint(found, "restore the file from a copy");
    } else if (found->hint[0] == '\0' && code != FK_E_NO_MEMORY) {
        fk_error_hint(found, "load it with torch.load, and save tensors and plain values only");
    }
    if (err != NULL) {
        *err = *found;
    }
    return code;
}

static fk_code check_length(const fk_machine *machine, size_t length) {
    if (length > FK_LIMIT_PICKLE_BYTES) {
        fk_error_set(machine->err, FK_E_LIMIT, "the pickle has %zu bytes, more than %llu", length,
                     (unsigned long long)FK_LIMIT_PICKLE_BYTES);
        fk_error_hint(machine->err, "store large data as tensors");
        return FK_E_LIMIT;
    }
    return FK_OK;
}

/* What STOP leaves: exactly one item, a value, and no bytes behind it unless the caller wants to
 * know. */
static fk_code finish(fk_machine *machine, size_t used, bool whole, fk_value **ret_value) {
    bool inspects = fk_machine_inspects(machine);
    if (machine->height == 0 || (!inspects && (machine->height != 1 || machine->mark_count != 0))) {
        return fk_error_set(machine->err, FK_E_CORRUPT, "the pickle stops with %zu items left",
                            machine->height);
    }
    if (whole && used != machine->length) {
        machine->at = used;
        return fk_error_set(machine->err, FK_E_CORRUPT, "%zu bytes follow the pickle's STOP",
                            machine->length - used);
    }
    if (machine->frame_end != 0 && machine->frame_end != used) {
        return fk_error_set(machine->err, FK_E_CORRUPT, "the pickle stops within a frame");
    }
    fk_value *value;
    fk_code code = fk_machine_value_of(machine, &machine->stack[machine->height - 1], &value);
    if (code == FK_OK) {
        code = fk_pickle_check_graph(value, !inspects, machine->err);
    }
    if (code == FK_OK) {
        *ret_value = value;
    }
    return code;
}

fk_code fk_pickle_read(const uint8_t *bytes, size_t length, uint64_t base,
                       const fk_pickle_host *host, fk_values *values, fk_value **ret_value,
                       size_t *ret_used, fk_error *err) {
    fk_error found; /* the caller's stays as it is on success */
    found.code = FK_OK;
    FK_SCOPED(fk_machine_finish) fk_machine machine;
    fk_code code = fk_machine_init(&machine, host, values, &found);
    machine.base = base;
    machine.length = length;
    if (code == FK_OK && ret_used == NULL) {
        code = check_length(&machine, length);
    }
    size_t next = 0;
    while (code == FK_OK && !machine.stopped) {
        fk_pickle_step step;
        machine.at = next;
        machine.height_before = machine.height;
        machine.marks_before = machine.mark_count;
        if (++machine.opcodes > FK_LIMIT_PICKLE_OPCODES) {
            code = fk_error_set(&found, FK_E_LIMIT, "the pickle has more than %u opcodes",
                                FK_LIMIT_PICKLE_OPCODES);
            break;
        }
        code = fk_pickle_step_read(bytes, length, next, &step, &found);
        if (code == FK_OK) {
            next = step.next;
            code = check_length(&machine, next);
        }
        if (code == FK_OK) {
            code = run(&machine, &step);
        }
    }
    fk_value *value = NULL;
    if (code == FK_OK) {
        code = finish(&machine, next, ret_used == NULL, &value);
    }
    if (code != FK_OK) {
        return fail_at(&machine, code, bytes, err);
    }
    *ret_value = value;
    if (ret_used != NULL) {
        *ret_used = next;
    }
    return FK_OK;
}
