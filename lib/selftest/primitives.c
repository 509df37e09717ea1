#include "selftest/primitives.h"

#include <stdio.h>

#include "fontkeep/store.h"
#include "os/directory.h"
#include "os/file.h"
#include "os/primitive.h"

/* What it means that a primitive does not work. */
typedef struct meaning {
    const char *name;
    const char *instead;
    const char *limit; /* for the verdict, or NULL: nobody will notice */
    bool needed;       /* nothing goes without */
} meaning;

static const meaning meanings[FK_PRIMITIVE_COUNT] = {
    [FK_PRIMITIVE_EXCLUSIVE_CREATE] = {"exclusive_create", "nothing: a save needs it",
                                       "two processes could make one and the same file", true},
    [FK_PRIMITIVE_RENAME_NOREPLACE] = {"rename_noreplace",
                                       "plain rename, which replaces no run: a "
                                       "run is never an empty directory",
                                       NULL, false},
    [FK_PRIMITIVE_RENAME_REFUSES] = {"rename_refuses", "RENAME_NOREPLACE", NULL, false},
    [FK_PRIMITIVE_RENAME_EXCHANGE] = {"rename_exchange",
                                      "two renames; recover ends what was cut off between them",
                                      "a run is out of sight for a moment while it is adopted, "
                                      "migrated, regenerated or restored",
                                      false},
    [FK_PRIMITIVE_FILE_SYNC] = {"file_sync", "nothing: a save needs it",
                                "files cannot be synced, so no save can be kept safe", true},
    [FK_PRIMITIVE_DIRECTORY_SYNC] = {"directory_sync", "names are left to the file system",
                                     "directories cannot be synced: a power cut may undo the "
                                     "newest saves",
                                     false},
    [FK_PRIMITIVE_LOCKS] = {"locks", "time alone tells what is dead: nothing changed for 24 hours",
                            "there are no locks: what a killed save left stays for 24 hours",
                            false},
    [FK_PRIMITIVE_LOCKS_EXCLUDE] =
        {"locks_exclude", "nothing: a save needs it",
         "two processes can hold one lock, so a draft under way would be "
         "taken for a dead one",
         true},
    [FK_PRIMITIVE_HARD_LINKS] = {"hard_links", "files that stay are copied when a run changes",
                                 NULL, false},
    [FK_PRIMITIVE_COLON_NAMES] = {"colon_names", "directories of runs have '-' in place of ':'",
                                  NULL, false},
    [FK_PRIMITIVE_CASE_SENSITIVE] = {"case_sensitive", "a save that needs it is refused",
                                     "a run cannot hold glyphs whose labels differ only by case, "
                                     "such as 'A' and 'a'",
                                     false},
    [FK_PRIMITIVE_RESERVE] = {"reserve",
                              "a full disk is noticed while writing, and nothing is "
                              "left then",
                              NULL, false},
    [FK_PRIMITIVE_DIRECT_IO] = {"direct_io", "large files go through the page cache", NULL, false},
    [FK_PRIMITIVE_FINE_TIMES] = {"fine_times", "a name that is taken is found by the rename", NULL,
                                 false},
    [FK_PRIMITIVE_OPENAT2] = {"openat2", "paths are opened one component at a time", NULL, false},
};

/* ---- what the kernel says ----------------------------------------------------------------- */

static void add_local(const fk_scratch *scratch, fk_report *report) {
    bool local = fk_directory_is_local(scratch->directory);
    fk_report_add_primitive(report, "local", local,
                            "what another machine left half done is removed after 24 hours");
    if (!local) {
        fk_report_add_limit(report, FK_FIT_WITH_LIMITS,
                            "behind it is another machine or program, and whether that keeps what "
                            "it has synced cannot be seen from here");
    }
}

static void add_durable(const fk_scratch *scratch, fk_report *report) {
    bool memory = fk_directory_is_in_memory(scratch->directory);
    fk_report_add_primitive(report, "durable", !memory, "nothing: it is memory");
    if (memory) {
        fk_report_add_limit(report, FK_FIT_WITH_LIMITS,
                            "it is memory: every run is gone after a power cut or a restart");
    }
}

static fk_code add_free_space(const fk_scratch *scratch, fk_report *report, fk_error *err) {
    uint64_t free_bytes = fk_directory_free_bytes(scratch->directory);
    bool enough = free_bytes >= FK_DEFAULT_MAX_WEIGHTS_BYTES;
    fk_report_add_primitive(report, "free_space", enough,
                            "a save that does not fit is refused before its first byte");
    if (!enough) {
        const char *text = fk_report_text(report, "only %.1f MB are free, and a model may take 500",
                                          (double)free_bytes / 1e6);
        if (text == NULL) {
            return fk_error_no_memory(err);
        }
        fk_report_add_limit(report, FK_FIT_WITH_LIMITS, text);
    }
    return FK_OK;
}

/* ---- what was tried ----------------------------------------------------------------------- */

static fk_code try_one(const fk_scratch *scratch, fk_report *report, fk_primitive_kind kind,
                       bool *ret_works, fk_error *err) {
    FK_SCOPED(fk_file_closep) int directory = -1;
    const meaning *it = &meanings[kind];
    fk_code code = fk_scratch_make(scratch, it->name, &directory, err);
    if (code == FK_OK) {
        code = fk_primitive_try(kind, directory, ret_works, err);
    }
    if (code != FK_OK) {
        return code;
    }
    fk_report_add_primitive(report, it->name, *ret_works, it->instead);
    if (!*ret_works && it->limit != NULL) {
        fk_report_add_limit(report, it->needed ? FK_NOT_FIT : FK_FIT_WITH_LIMITS, it->limit);
    }
    return FK_OK;
}

fk_code fk_primitives_try(const fk_scratch *scratch, fk_report *report, fk_error *err) {
    bool works[FK_PRIMITIVE_COUNT] = {false};
    for (fk_primitive_kind kind = 0; kind < FK_PRIMITIVE_COUNT; kind++) {
        fk_code code = try_one(scratch, report, kind, &works[kind], err);
        if (code != FK_OK) {
            return code;
        }
    }
    if (!works[FK_PRIMITIVE_RENAME_NOREPLACE] && !works[FK_PRIMITIVE_RENAME_REFUSES]) {
        fk_report_add_limit(report, FK_NOT_FIT, "a rename could replace a run");
    }
    add_local(scratch, report);
    add_durable(scratch, report);
    return add_free_space(scratch, report, err);
}
