#include "checkpoint/write_path.h"

static void append_step(fk_buffer *path, const fk_write_path_step *step) {
    if (step->next == 0 || step->attributes) {
        return; /* not yet among the items; the attributes' own keys say enough */
    }
    size_t index = step->next - 1;
    fk_kind kind = fk_value_kind(step->value);
    if (kind != FK_KIND_DICT && kind != FK_KIND_ORDERED_DICT && kind != FK_KIND_COUNTER) {
        fk_dotted_path_add_index(path, index);
    } else {
        fk_dotted_path_add_key(path, fk_value_key(step->value, index / 2));
    }
}

void fk_write_path_text(const fk_write_path_step *steps, size_t count,
                        char into[FK_DOTTED_PATH_BYTES]) {
    FK_SCOPED(fk_buffer_finish) fk_buffer path = {0};
    for (size_t i = 0; i < count; i++) {
        append_step(&path, &steps[i]);
    }
    fk_dotted_path_text(&path, into);
}
