#include "store/trash/discard.h"

#include "os/directory.h"
#include "os/file.h"
#include "store/handle/stage_lock.h"

/* What a name in the stage's place would be: nobody else makes such names. */
static fk_code taken(const char *stage, fk_error *err) {
    fk_error_set(err, FK_E_BUSY, "somebody else took the name '%s'", stage);
    fk_error_hint(err, "try again");
    return FK_E_BUSY;
}

static fk_code check_expected(const fk_discarded *it, const char *stage, fk_error *err) {
    bool is = true;
    fk_code code =
        it->expected < 0 ? FK_OK : fk_file_is_at(it->expected, it->parent, stage, &is, err);
    if (code == FK_OK && !is) {
        code = fk_error_set(err, FK_E_BUSY, "another process changed '%s' at the same moment",
                            it->name);
        fk_error_hint(err, "try again");
    }
    return code;
}

/* Not as expected, or not durable, the rename is undone: a power cut must not bring back half of a
 * directory. */
static fk_code hide(const fk_discarded *it, const char *stage, fk_error *err) {
    bool is_taken = false;
    fk_code code = fk_directory_publish(it->parent, it->name, stage, &is_taken, err);
    if (code != FK_OK || is_taken) {
        return code != FK_OK ? code : taken(stage, err);
    }
    code = check_expected(it, stage, err);
    if (code == FK_OK && it->durable) {
        code = fk_file_sync(it->parent, ".", err);
    }
    if (code != FK_OK) {
        (void)fk_directory_publish(it->parent, stage, it->name, &is_taken, NULL);
    }
    return code;
}

fk_code fk_discard(const fk_discarded *it, fk_error *err) {
    FK_SCOPED(fk_file_closep) int lock = -1;
    char stage[FK_STAGE_NAME_BYTES] = "";
    char lock_name[FK_STAGE_LOCK_NAME_BYTES];
    bool hidden = false;
    fk_code code = fk_stage_lock_make(it->parent, stage, lock_name, &lock, err);
    bool is_full = code == FK_E_NO_SPACE && stage[0] != '\0';
    if (code == FK_OK || is_full) { /* this makes room, and needs none */
        code = hide(it, stage, err);
        hidden = code == FK_OK;
    }
    if (hidden) {
        code = fk_directory_remove(it->parent, stage, err);
    }
    /* a stage that is left keeps its lock file: so the next sweep sees that it is dead */
    if (lock >= 0 && (code == FK_OK || !hidden)) {
        fk_file_remove(it->parent, lock_name, NULL);
    }
    if (code != FK_OK) {
        fk_error_path_join(err, it->path);
    }
    return code;
}
