#include "render_room.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "fail.h"
#include "input.h"

enum { OPEN_DIRECTORIES = 16, SUBJECT_BYTES = 1100 };

/* ---- the directory ------------------------------------------------------------------------ */

static fk_code fail_system(cli_context *context, const char *verb, const char *path) {
    const int failure = errno;
    cli_fail_usage(context, "cannot %s '%s': %s", verb, path, strerror(failure));
    context->error.code = failure == EACCES || failure == EPERM || failure == EROFS ? FK_E_ACCESS
                          : failure == ENOSPC || failure == EDQUOT                  ? FK_E_NO_SPACE
                                                                                    : FK_E_IO;
    context->error.system_errno = failure;
    cli_fail_hint(context, "let TMPDIR name a directory to write to");
    return context->error.code;
}

static fk_code name_paths(cli_render_room *room) {
    const char *parent = getenv("TMPDIR");
    const char *base = parent == NULL || parent[0] == '\0' ? "/tmp" : parent;
    char path[CLI_ROOM_PATH_BYTES - 512];
    if ((size_t)snprintf(path, sizeof path, "%s/fontkeep-XXXXXX", base) >= sizeof path) {
        errno = ENAMETOOLONG;
        return fail_system(room->context, "make a directory in", base);
    }
    if (mkdtemp(path) == NULL) {
        return fail_system(room->context, "make a directory in", base);
    }
    snprintf(room->path, sizeof room->path, "%s", path);
    snprintf(room->run, sizeof room->run, "%s/run", path);
    snprintf(room->weights, sizeof room->weights, "%s/run/weights", path);
    snprintf(room->personality, sizeof room->personality, "%s/personality.npy", path);
    return FK_OK;
}

/* Only what the command asks for is put there. */
static fk_code furnish(cli_render_room *room) {
    const bool *uses = room->command->uses;
    cli_context *context = room->context;
    fk_code code = name_paths(room);
    if (code == FK_OK && (uses[CLI_PLACE_RUN] || uses[CLI_PLACE_WEIGHTS])) {
        code = fk_copy_run(room->store, room->font_id, room->run_id->text, room->run, NULL, NULL,
                           NULL, &context->error);
    }
    if (code == FK_OK && uses[CLI_PLACE_PERSONALITY]) {
        code = fk_export_personality(room->store, room->font_id, room->run_id->text,
                                     room->personality, "npy", &context->error);
    }
    return code;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where) {
    (void)status;
    (void)type;
    (void)where;
    (void)remove(path);
    return 0;
}

void cli_render_room_finish(cli_render_room *room) {
    if (room->path[0] != '\0') {
        (void)nftw(room->path, remove_one, OPEN_DIRECTORIES, FTW_DEPTH | FTW_PHYS);
    }
    free(room->image);
    room->image = NULL;
}

/* ---- an image ----------------------------------------------------------------------------- */

static fk_code take_image(cli_render_room *room, const char *out, const char *what,
                          fk_image *ret_image) {
    struct stat status;
    cli_context *context = room->context;
    if (lstat(out, &status) != 0 || !S_ISREG(status.st_mode)) {
        cli_fail_usage(context, "the command wrote no file for %s", what);
        context->error.code = FK_E_INVALID;
        cli_fail_hint(context, "it must write the image as PNG to {out}");
        return FK_E_INVALID;
    }
    free(room->image);
    room->image = NULL;
    *ret_image = (fk_image){0};
    fk_code code = cli_input_file(context, out, &room->image, &ret_image->length);
    ret_image->bytes = room->image;
    (void)remove(out);
    return code;
}

static fk_code draw(cli_render_room *room, const fk_rendering *wanted, fk_image *ret_image) {
    const char *name = strrchr(wanted->path, '/');
    const char *label = wanted->label == NULL ? "" : wanted->label;
    char out[CLI_ROOM_PATH_BYTES];
    char what[SUBJECT_BYTES];
    snprintf(out, sizeof out, "%.*s/%.*s", (int)sizeof out - 300, room->path, 255,
             name == NULL ? wanted->path : name + 1);
    snprintf(what, sizeof what, wanted->label == NULL ? "the sample" : "glyph '%s'", label);
    const char *const values[CLI_PLACE_COUNT] = {
        [CLI_PLACE_OUT] = out,
        [CLI_PLACE_LABEL] = label,
        [CLI_PLACE_WEIGHTS] = room->weights,
        [CLI_PLACE_PERSONALITY] = room->personality,
        [CLI_PLACE_RUN] = room->run,
        [CLI_PLACE_FONT_ID] = room->font_id,
        [CLI_PLACE_RUN_ID] = room->run_id->text,
    };
    char **words = cli_render_command_fill(room->command, values);
    fk_code code = cli_child_run(room->context, words, what);
    cli_render_words_free(words);
    return code == FK_OK ? take_image(room, out, what, ret_image) : code;
}

fk_code cli_render_room_draw(const fk_rendering *wanted, fk_image *ret_image, void *user,
                             fk_error *err) {
    cli_render_room *room = user;
    fk_code code = room->path[0] == '\0' ? furnish(room) : FK_OK;
    if (code == FK_OK) {
        code = draw(room, wanted, ret_image);
    }
    if (code != FK_OK) {
        *err = room->context->error;
    }
    return code;
}
