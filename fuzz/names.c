/* What people and directories call things: font ids, run ids, glyph labels and files, entries of
 * the trash, times. */
#include "fontkeep/time.h"
#include "fuzz.h"
#include "store/names/font_id.h"
#include "store/names/glyph_name.h"
#include "store/names/run_id.h"
#include "store/names/trash_name.h"

static void try_font_id(const char *text) {
    fk_font_id corrected;
    fk_font_id_correct(text, &corrected);
    fuzz_require(fk_font_id_is_valid(corrected.text));
    if (fk_font_id_is_valid(text)) {
        fuzz_require(strcmp(text, corrected.text) == 0);
        fuzz_require(fk_font_id_compare(text, text) == 0);
        fuzz_require(fk_font_id_compare(text, "7-x") == -fk_font_id_compare("7-x", text));
    }
}

static void try_run_id(const char *text) {
    fk_run_id id;
    fk_run_id twin;
    fk_run_id again;
    fk_run_id next;
    int64_t time_us = 0;
    unsigned sequence = 0;
    if (!fk_run_id_parse(text, &id, &time_us, &sequence)) {
        return;
    }
    fuzz_require(fk_run_id_make(time_us, sequence, &again) && strcmp(again.text, id.text) == 0);
    fk_run_id_twin(&id, &twin);
    fuzz_require(strchr(twin.text, ':') == NULL);
    fuzz_require(fk_run_id_parse(twin.text, &again, NULL, NULL) &&
                 strcmp(again.text, id.text) == 0);
    if (fk_run_id_next(time_us, &id, &next, NULL) == FK_OK) {
        fuzz_require(strcmp(next.text, id.text) > 0);
    }
}

static void try_glyph_name(const char *text) {
    char file[FK_GLYPH_FILE_BYTES];
    char label[FK_LABEL_BYTES];
    fk_error err;
    fk_glyph_name_to_label(text, label);
    if (fk_glyph_name_from_label(text, file, &err) == FK_OK) {
        fuzz_require(strchr(file, '/') == NULL && file[0] != '.' && strlen(file) <= 255);
        fk_glyph_name_to_label(file, label);
        fuzz_require(strcmp(label, text) == 0);
    }
}

static void try_trash_name(const char *text) {
    fk_trash_name name;
    char formatted[FK_TRASH_NAME_BYTES];
    if (fk_trash_name_parse(text, &name)) {
        fuzz_require(name.number >= 1 && name.number <= FK_TRASH_NUMBER_MAX);
        fk_trash_name_format(&name, formatted);
        fuzz_require(strcmp(formatted, text) == 0);
    }
}

static void try_trash_id(const char *text) {
    fk_trash_id id;
    fk_trash_id again;
    char formatted[FK_TRASH_ID_BYTES];
    fk_error err;
    if (fk_trash_id_parse(text, &id, &err) != FK_OK) {
        fuzz_require(err.code == FK_E_INVALID && err.hint[0] != '\0');
        return;
    }
    fuzz_require(fk_font_id_is_valid(id.font_id.text));
    fk_trash_id_format(&id, formatted);
    fuzz_require(fk_trash_id_parse(formatted, &again, NULL) == FK_OK);
    fuzz_require(strcmp(again.font_id.text, id.font_id.text) == 0 && again.number == id.number);
    fuzz_require(strcmp(again.run_id.text, id.run_id.text) == 0);
    fuzz_require(fk_trash_id_is_font(&id) == (strchr(text, '/') == NULL));
}

static void try_time(const char *text) {
    char formatted[FK_TIME_BYTES];
    int64_t time_us = 0;
    int64_t again_us = 0;
    bool strict = fk_time_parse(text, false, &time_us);
    fuzz_require(!strict || fk_time_parse(text, true, &again_us));
    fuzz_require(!strict || again_us == time_us);
    if (fk_time_parse(text, true, &time_us)) {
        fuzz_require(fk_time_format(time_us, formatted));
        fuzz_require(fk_time_parse(formatted, false, &again_us) && again_us == time_us);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    FK_SCOPED(fk_freep) char *text = fuzz_text(bytes, length);
    try_font_id(text);
    try_run_id(text);
    try_glyph_name(text);
    try_trash_name(text);
    try_trash_id(text);
    try_time(text);
    return 0;
}
