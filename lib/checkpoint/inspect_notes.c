#include "checkpoint/inspect_notes.h"

#include "checkpoint/inspection.h"
#include "value/values.h"

fk_code fk_inspect_note_global(void *user, const char *module, const char *name, bool call,
                               uint64_t offset, fk_error *err) {
    fk_inspect_notes *notes = user;
    notes->foreign = true;
    return fk_inspection_add_finding(notes->inspection, "global", offset, 0, err,
                                     call ? "the pickle would call '%.100s.%.100s'"
                                          : "the pickle would import '%.100s.%.100s'",
                                     module, name);
}

fk_code fk_inspect_note_opcode(void *user, const char *opcode, uint64_t offset, fk_error *err) {
    fk_inspect_notes *notes = user;
    return fk_inspection_add_finding(notes->inspection, "opcode", offset, 0, err,
                                     "the pickle uses %s, which torch.save never writes", opcode);
}

static fk_code note_tensor(void *user, const char *path, const fk_value *value, fk_error *err) {
    fk_inspect_notes *notes = user;
    if (fk_value_kind(value) != FK_KIND_TENSOR) {
        return FK_OK;
    }
    return fk_inspection_add_tensor(notes->inspection, path, fk_value_as_tensor(value), err);
}

fk_code fk_inspect_note_tensors(fk_inspect_notes *notes, const fk_value *top, fk_error *err) {
    return fk_value_walk(top, "", note_tensor, notes, err);
}

fk_code fk_inspect_note_break(fk_inspect_notes *notes, const fk_error *found, fk_code code,
                              fk_error *err) {
    bool breaks = code == FK_E_CORRUPT || code == FK_E_UNSUPPORTED || code == FK_E_LIMIT;
    if (breaks && notes->foreign) {
        return fk_inspection_add_finding(notes->inspection, "pickle", found->offset, 0, err,
                                         "the pickle breaks off: %s", found->message);
    }
    if (code != FK_OK && err != NULL) {
        *err = *found;
    }
    return code;
}
