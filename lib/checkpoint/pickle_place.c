/* The refused item is followed to the end of the pickle: what is there of the stack stands, and of
 * the opcodes to come only matters how many items they take and give. Below the place of the item
 * that is followed, the stack is as it was when the opcode was refused. */
#include "checkpoint/pickle_place.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/limits.h"

/* What an opcode does to the stack. */
typedef enum effect_kind {
    LOSE = 0, /* not known */
    KEEP,
    PUSH, /* one more item */
    MARK,
    MAKE,      /* one item of the last `count` */
    STORE,     /* the last `count` go into the one below */
    TAKE_AWAY, /* POP */
} effect_kind;

typedef struct effect {
    uint8_t kind;
    uint8_t count; /* 0: all above the last mark */
} effect;

static const effect effects[256] = {
    ['('] = {MARK, 0},  [')'] = {PUSH, 0},   ['0'] = {TAKE_AWAY, 1}, ['B'] = {PUSH, 0},
    ['C'] = {PUSH, 0},  ['F'] = {PUSH, 0},   ['G'] = {PUSH, 0},      ['I'] = {PUSH, 0},
    ['J'] = {PUSH, 0},  ['K'] = {PUSH, 0},   ['L'] = {PUSH, 0},      ['M'] = {PUSH, 0},
    ['N'] = {PUSH, 0},  ['P'] = {PUSH, 0},   ['Q'] = {MAKE, 1},      ['R'] = {MAKE, 2},
    ['S'] = {PUSH, 0},  ['T'] = {PUSH, 0},   ['U'] = {PUSH, 0},      ['V'] = {PUSH, 0},
    ['X'] = {PUSH, 0},  ['a'] = {STORE, 1},  ['b'] = {STORE, 1},     ['c'] = {PUSH, 0},
    ['d'] = {MAKE, 0},  ['e'] = {STORE, 0},  ['g'] = {PUSH, 0},      ['h'] = {PUSH, 0},
    ['j'] = {PUSH, 0},  ['l'] = {MAKE, 0},   ['p'] = {KEEP, 0},      ['q'] = {KEEP, 0},
    ['r'] = {KEEP, 0},  ['s'] = {STORE, 2},  ['t'] = {MAKE, 0},      ['u'] = {STORE, 0},
    ['}'] = {PUSH, 0},  [']'] = {PUSH, 0},   [0x81] = {MAKE, 2},     [0x82] = {PUSH, 0},
    [0x83] = {PUSH, 0}, [0x84] = {PUSH, 0},  [0x85] = {MAKE, 1},     [0x86] = {MAKE, 2},
    [0x87] = {MAKE, 3}, [0x88] = {PUSH, 0},  [0x89] = {PUSH, 0},     [0x8A] = {PUSH, 0},
    [0x8B] = {PUSH, 0}, [0x8C] = {PUSH, 0},  [0x8D] = {PUSH, 0},     [0x8E] = {PUSH, 0},
    [0x8F] = {PUSH, 0}, [0x90] = {STORE, 0}, [0x91] = {MAKE, 0},     [0x92] = {MAKE, 3},
    [0x93] = {MAKE, 2}, [0x94] = {KEEP, 0},  [0x95] = {KEEP, 0},     [0x96] = {PUSH, 0},
};

/* From a container to what stands in it. */
typedef struct step {
    const fk_value *key; /* NULL: by index */
    size_t index;
    bool tuple; /* the container may be the arguments of a call, which are no step */
} step;

typedef struct follower {
    fk_machine *machine;
    size_t place; /* on the stack */
    step *steps;  /* [FK_LIMIT_DEPTH], innermost first */
    size_t count;
} follower;

static void follower_finish(follower *f) {
    free(f->steps);
}

static bool add_step(follower *f, step added) {
    if (f->count == FK_LIMIT_DEPTH) {
        return false;
    }
    f->steps[f->count++] = added;
    return true;
}

/* The items from `first` up became one. */
static bool made(follower *f, uint8_t opcode, size_t first) {
    bool tuple = opcode == 't' || (opcode >= 0x85 && opcode <= 0x87);
    bool call = opcode == 'R' || opcode == 0x81 || opcode == 0x92;
    size_t index = f->place - first;
    f->place = first;
    if (tuple || opcode == 'l' || opcode == 0x91) {
        return add_step(f, (step){.index = index, .tuple = tuple});
    }
    if (call && f->count > 0 && f->steps[f->count - 1].tuple) {
        f->count--;
    }
    return true;
}

/* The items from `first` up went into the one below. Those in front of a refused one are in it
 * already. */
static bool stored(follower *f, uint8_t opcode, size_t first, bool refused) {
    const fk_item *into = &f->machine->stack[first - 1];
    const fk_item *before = &f->machine->stack[f->place - 1];
    size_t index = f->place - first;
    f->place = first - 1;
    if (opcode == 'b') {
        return true; /* the attributes' own keys say enough */
    }
    if (opcode == 's' || opcode == 'u') {
        bool keyed = index % 2 == 1 && before->kind == FK_ITEM_VALUE;
        return !keyed || add_step(f, (step){.key = before->value});
    }
    size_t count = into->kind == FK_ITEM_VALUE ? fk_value_count(into->value) : 0;
    return add_step(f, (step){.index = count + (refused ? 0 : index)});
}

/* What the refused opcode could not store: the first item that is no value, else the container. */
static size_t find_refused(const fk_machine *machine, size_t first) {
    for (size_t i = first; i < machine->height; i++) {
        if (machine->stack[i].kind != FK_ITEM_VALUE) {
            return i;
        }
    }
    return first - 1;
}

/* Where the items begin that an opcode takes. */
static bool find_first(fk_machine *machine, uint8_t count, size_t *ret_first) {
    if (count == 0) {
        return fk_machine_unmark(machine, ret_first) == FK_OK && *ret_first <= machine->height;
    }
    *ret_first = machine->height - count;
    return count <= machine->height;
}

/* `refused`: it is the first opcode, which decides what is followed. */
static bool follow(follower *f, uint8_t opcode, bool refused) {
    fk_machine *machine = f->machine;
    const effect does = effects[opcode];
    size_t first = machine->height;
    if (does.kind == MARK) {
        return fk_machine_mark(machine) == FK_OK;
    }
    if (does.kind == LOSE || (refused && does.kind == KEEP)) {
        return false;
    }
    if ((does.kind == MAKE || does.kind == STORE || does.kind == TAKE_AWAY) &&
        (!find_first(machine, does.count, &first) || (does.kind == STORE && first == 0))) {
        return false;
    }
    if (refused) {
        f->place = does.kind == STORE ? find_refused(machine, first) : first;
    }
    bool concerned = !refused && f->place >= first && f->place < machine->height;
    bool good = true;
    if (does.kind == STORE && (concerned || (refused && f->place >= first))) {
        good = stored(f, opcode, first, refused);
    } else if (does.kind == MAKE && concerned) {
        good = made(f, opcode, first);
    } else if (does.kind == TAKE_AWAY && f->place > first) {
        f->place = first; /* Python puts in its place what comes next */
    }
    machine->height = first + (does.kind == PUSH || does.kind == MAKE);
    return good;
}

/* Follows from the refused opcode to STOP. */
static bool follow_all(follower *f, const uint8_t *pickle) {
    fk_machine *machine = f->machine;
    fk_pickle_step at = {.next = machine->at};
    for (bool refused = true;; refused = false) {
        if (fk_pickle_step_read(pickle, machine->length, at.next, &at, NULL) != FK_OK) {
            return false;
        }
        if (at.opcode == FK_OP_STOP) {
            return !refused && f->place == 0;
        }
        if (!follow(f, at.opcode, refused)) {
            return false;
        }
    }
}

bool fk_pickle_place(fk_machine *machine, const uint8_t *pickle, char into[FK_DOTTED_PATH_BYTES]) {
    fk_error *kept = machine->err;
    FK_SCOPED(follower_finish)
    follower f = {.machine = machine, .steps = calloc(FK_LIMIT_DEPTH, sizeof *f.steps)};
    FK_SCOPED(fk_buffer_finish) fk_buffer path = {0};
    if (f.steps == NULL) {
        return false;
    }
    machine->err = NULL;
    machine->height = machine->height_before;
    machine->mark_count = machine->marks_before;
    bool found = follow_all(&f, pickle);
    machine->err = kept;
    for (size_t i = f.count; found && i-- > 0;) {
        found = f.steps[i].key != NULL ? fk_dotted_path_add_key(&path, f.steps[i].key)
                                       : fk_dotted_path_add_index(&path, f.steps[i].index);
    }
    if (found) {
        fk_dotted_path_text(&path, into);
    }
    return found;
}
