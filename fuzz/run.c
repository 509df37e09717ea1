/* A whole run in a store: the input edits its files, then everything that opens a run does.
 *
 * An edit is: file (1 byte), kind (1), offset (2, little endian), count (1), `count` bytes. In
 * front of all, one byte: whether the manifest's own digest is made right again. */
#include <sys/stat.h>
#include <unistd.h>

#include "digest/digest.h"
#include "fontkeep/fontkeep.h"
#include "fuzz.h"
#include "sample_model.h"
#include "store/manifest/manifest.h"
#include "tree.h"

#define SECRET "what stands outside of the store"

enum { FILES = 5, EDIT_BYTES = 5, EDITS_MAX = 8, FILE_BYTES_MAX = 1 << 16 };
enum { WRITE, INSERT, CUT, SHORTEN, REMOVE, LINK, FIFO, DIRECTORY, KINDS };

static const char *const names[FILES] = {"run.json", "weights", "sample.png", "feedback.json",
                                         "eval-glyphs/A.png"};
static char *outside; /* the directory around the store */
static char *original[FILES];
static size_t original_length[FILES];
static fk_store *store;
static fk_run_id run_id;

static const char *path_of(size_t file) {
    char name[128];
    snprintf(name, sizeof name, "store/1-fruity/runs/%s/%s", run_id.text, names[file]);
    return tree_path(outside, name);
}

static void clean_up(void) {
    fk_store_close(store);
    tree_destroy(outside);
    for (size_t i = 0; i < FILES; i++) {
        free(original[i]);
    }
}

static void set_up(void) {
    fk_store_options options = {
        .size = sizeof options, .create = true, .durability = FK_DURABILITY_NONE};
    sample_model sample;
    outside = tree_create();
    tree_write(tree_path(outside, "secret"), SECRET, sizeof SECRET - 1);
    sample_model_init(&sample, 100);
    fuzz_require(fk_store_open(tree_path(outside, "store"), &options, &store, NULL) == FK_OK);
    fuzz_require(fk_save_model(store, "1-fruity", &sample.model, &run_id, NULL) == FK_OK);
    sample_model_finish(&sample);
    for (size_t i = 0; i < FILES; i++) {
        original[i] = tree_read(path_of(i), &original_length[i]);
    }
    atexit(clean_up);
}

/* ---- edits */

static void replace(size_t file, unsigned kind) {
    const char *path = path_of(file);
    remove(path);
    if (kind == LINK) {
        fuzz_require(symlink("../../../../secret", path) == 0);
    } else if (kind == FIFO) {
        fuzz_require(mkfifo(path, 0666) == 0);
    } else if (kind == DIRECTORY) {
        fuzz_require(mkdir(path, 0777) == 0);
    }
}

static size_t change(uint8_t *text, size_t length, unsigned kind, size_t offset,
                     const uint8_t *bytes, size_t count) {
    offset = offset > length ? length : offset;
    size_t rest = length - offset;
    switch (kind) {
    case WRITE:
        memcpy(text + offset, bytes, count);
        return count > rest ? offset + count : length;
    case INSERT:
        memmove(text + offset + count, text + offset, rest);
        memcpy(text + offset, bytes, count);
        return length + count;
    case CUT:
        count = count > rest ? rest : count;
        memmove(text + offset, text + offset + count, rest - count);
        return length - count;
    default:
        return offset;
    }
}

static size_t mend(uint8_t *text, size_t length) {
    static const char ending[] = ",\n  \"self\": \"";
    enum { ENDING_BYTES = sizeof ending - 1 + 64 + 4 };
    char digest[FK_SHA256_HEX_BYTES];
    if (length >= ENDING_BYTES) {
        fuzz_require(fk_sha256_hex(text, length - ENDING_BYTES, digest, NULL) == FK_OK);
        memcpy(text + length - ENDING_BYTES, ending, sizeof ending - 1);
        memcpy(text + length - 68, digest, 64);
        memcpy(text + length - 4, "\"\n}\n", 4);
    }
    return length;
}

/* Applies the edits; gives a set of the files that are no longer what they were. */
static unsigned apply(const uint8_t *bytes, size_t length, bool mended) {
    static uint8_t text[FILES][FILE_BYTES_MAX];
    size_t lengths[FILES];
    unsigned edited = 0;
    unsigned replaced = 0;
    for (size_t i = 0; i < FILES; i++) {
        memcpy(text[i], original[i], original_length[i]);
        lengths[i] = original_length[i];
    }
    for (size_t edit = 0; edit < EDITS_MAX && length >= EDIT_BYTES; edit++) {
        size_t file = bytes[0] % FILES;
        unsigned kind = bytes[1] % KINDS;
        size_t offset = bytes[2] | (size_t)bytes[3] << 8;
        size_t count = bytes[4];
        count = kind > INSERT || count <= length - EDIT_BYTES ? count : length - EDIT_BYTES;
        if (kind >= REMOVE) {
            replace(file, kind);
            replaced |= 1u << file;
        } else {
            lengths[file] =
                change(text[file], lengths[file], kind, offset, bytes + EDIT_BYTES, count);
            edited |= 1u << file;
        }
        size_t used = EDIT_BYTES + (kind > INSERT ? 0 : count);
        bytes += used;
        length -= used;
    }
    for (size_t i = 0; i < FILES; i++) {
        if ((edited & ~replaced) >> i & 1) {
            lengths[i] = i == 0 && mended ? mend(text[i], lengths[i]) : lengths[i];
            tree_write(path_of(i), text[i], lengths[i]);
        }
    }
    return edited | replaced;
}

static void restore(unsigned changed) {
    for (size_t i = 0; i < FILES; i++) {
        if (changed >> i & 1) {
            fuzz_require(remove(path_of(i)) == 0 || access(path_of(i), F_OK) != 0);
            tree_write(path_of(i), original[i], original_length[i]);
        }
    }
}

/* ---- all that opens a run */

static void read_files(void) {
    fk_run *run = NULL;
    if (fk_run_open(store, "1-fruity", run_id.text, &run, NULL) != FK_OK) {
        return;
    }
    const fk_run_info *info = fk_run_get_info(run);
    for (size_t i = 0; i < info->file_count; i++) {
        FK_SCOPED(fk_freep) void *bytes = NULL;
        size_t length = 0;
        if (fk_run_read_file(run, info->files[i].path, &bytes, &length, NULL) == FK_OK) {
            fuzz_require(memmem(bytes, length, SECRET, sizeof SECRET - 1) == NULL);
        }
    }
    fk_run_close(run);
}

/* Whether it loads; `verify` off: what stands there is parsed whatever the digests say. */
static bool load(bool verify, bool mmap) {
    fk_load_options options = {.size = sizeof options, .no_verify = !verify, .mmap = mmap};
    fk_loaded *loaded = NULL;
    fk_error err = {.code = FK_OK};
    fk_code code = fk_load_model(store, "1-fruity", run_id.text, &options, &loaded, &err);
    fuzz_require(code == FK_OK || err.message[0] != '\0');
    fk_loaded_destroy(loaded);
    return code == FK_OK;
}

static void look(void) {
    fk_inspection *inspection = NULL;
    fk_run_list *runs = NULL;
    fk_error err;
    fuzz_require(fk_list_runs(store, "1-fruity", NULL, &runs, &err) == FK_OK);
    fuzz_require(fk_run_list_count(runs) == 1);
    fk_run_list_destroy(runs);
    fk_inspect_run(store, "1-fruity", run_id.text, &inspection, &err);
    fk_inspection_destroy(inspection);
}

static fk_health verify(void) {
    fk_run_list *runs = NULL;
    fk_error err;
    fuzz_require(fk_verify(store, NULL, NULL, NULL, NULL, &runs, &err) == FK_OK);
    fuzz_require(fk_run_list_count(runs) == 1);
    fk_health health = fk_run_list_at(runs, 0)->health;
    fk_run_list_destroy(runs);
    return health;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    if (store == NULL) {
        set_up();
    }
    if (length == 0 || length > 4096) {
        return 0;
    }
    unsigned changed = apply(bytes + 1, length - 1, bytes[0] % 2 == 1);
    look();
    read_files();
    bool loads = load(true, false);
    fuzz_require(load(true, true) == loads);
    load(false, false);
    fk_health health = verify();
    fuzz_require(health != FK_COMPLETE || loads);
    restore(changed);
    return 0;
}
