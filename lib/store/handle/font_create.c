/* Making fonts: by id, or numbered one above the highest. */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "fontkeep/font.h"
#include "os/clock.h"
#include "os/directory.h"
#include "os/file.h"
#include "store/handle/handle.h"
#include "store/names/font_id.h"
#include "store/names/layout.h"
#include "store/names/trash_name.h"

/* Attempts at a number that nobody else takes at the same moment. */
enum { ATTEMPTS_MAX = 100 };

static fk_code font_exists(fk_store *store, const char *font_id, fk_error *err) {
    fk_error_set(err, FK_E_FONT_EXISTS, "font '%s' exists already", font_id);
    fk_error_hint(err, "choose another number or name, or save into the font that is there");
    fk_error_path(err, font_id);
    fk_error_path_join(err, store->path);
    return FK_E_FONT_EXISTS;
}

static void remove_font(int root, const char *font_id) {
    FK_SCOPED(fk_file_closep) int font = -1;
    if (fk_directory_open(root, font_id, &font, NULL) == FK_OK) {
        fk_directory_remove_empty(font, FK_RUNS_DIRECTORY, NULL);
    }
    fk_directory_remove_empty(root, font_id, NULL);
}

static fk_code fill_font(fk_store *store, int root, const char *font_id, fk_error *err) {
    FK_SCOPED(fk_file_closep) int font = -1;
    fk_code code = fk_directory_open(root, font_id, &font, err);
    if (code == FK_OK) {
        code = fk_directory_make(font, FK_RUNS_DIRECTORY, NULL, err);
    }
    if (code == FK_OK && store->durability == FK_DURABILITY_FULL) {
        code = fk_file_sync(font, font_id, err);
    }
    if (code == FK_OK && store->durability == FK_DURABILITY_FULL) {
        code = fk_file_sync(root, ".", err);
    }
    return code;
}

/* The exclusive mkdir is what makes a font id unique. */
static fk_code make_font(fk_store *store, int root, const char *font_id, fk_error *err) {
    bool made = false;
    fk_code code = fk_directory_make(root, font_id, &made, err);
    if (code == FK_OK && !made) {
        return font_exists(store, font_id, err);
    }
    if (code == FK_OK) {
        code = fill_font(store, root, font_id, err);
        if (code != FK_OK) {
            remove_font(root, font_id);
        }
    }
    if (code != FK_OK) {
        fk_error_path_join(err, store->path);
    }
    return code;
}

/* The font is there; an identity that cannot be written now is written by the next call. */
static void note_first_write(fk_store *store, int root) {
    char store_id[37];
    fk_store_ensure_identity(store, root, store_id, NULL);
}

fk_code fk_create_font(fk_store *store, const char *font_id, fk_error *err) {
    FK_SCOPED(fk_file_closep) int root = -1;
    fk_code code = fk_font_id_check(font_id, err);
    if (code == FK_OK) {
        code = fk_store_open_root(store, &root, err);
    }
    if (code == FK_OK) {
        code = make_font(store, root, font_id, err);
    }
    if (code == FK_OK) {
        note_first_write(store, root);
    }
    return code;
}

/* ---- numbered fonts ----------------------------------------------------------------------- */

/* The id of a font, or of a removed one (".trash-<font>.<n>"); false for any other name. */
static bool read_font_name(const char *name, fk_font_id *ret_id) {
    fk_trash_name trashed;
    const char *text = fk_trash_name_parse(name, &trashed) ? trashed.subject : name;
    if (!fk_font_id_is_valid(text)) {
        return false;
    }
    fk_text_copy(ret_id->text, sizeof ret_id->text, text);
    return true;
}

/* The digits in front of a font id, without leading zeros. */
static void read_number(const char *font_id, char into[sizeof(fk_font_id)]) {
    size_t zeros = strspn(font_id, "0");
    size_t digits = strspn(font_id + zeros, "0123456789");
    memcpy(into, font_id + zeros, digits);
    into[digits] = '\0';
}

/* Numbers without leading zeros, of any length. */
static bool number_is_above(const char *one, const char *other) {
    size_t one_length = strlen(one);
    size_t other_length = strlen(other);
    return one_length != other_length ? one_length > other_length : strcmp(one, other) > 0;
}

/* Adds one to a decimal number of any length; `into` has room for one more digit. */
static void increment(char number[sizeof(fk_font_id) + 1]) {
    size_t length = strlen(number);
    size_t place = length;
    while (place > 0 && number[place - 1] == '9') {
        number[--place] = '0';
    }
    if (place > 0) {
        number[place - 1]++;
        return;
    }
    memmove(number + 1, number, length + 1);
    number[0] = '1';
}

/* One above the highest number; removed fonts count, so no number is given twice. */
static fk_code next_number(int root, char into[sizeof(fk_font_id) + 1], fk_error *err) {
    FK_SCOPED(fk_names_finish) fk_names names = {0};
    into[0] = '\0';
    fk_code code = fk_directory_list(root, ".", &names, err);
    for (size_t i = 0; code == FK_OK && i < names.count; i++) {
        fk_font_id id;
        char number[sizeof(fk_font_id)];
        if (read_font_name(names.names[i], &id)) {
            read_number(id.text, number);
            if (number_is_above(number, into)) {
                fk_text_copy(into, sizeof(fk_font_id), number);
            }
        }
    }
    increment(into);
    return code;
}

/* Whether another font has the number of `font_id`: somebody took it at the same moment. */
static fk_code number_is_shared(int root, const char *font_id, bool *ret_shared, fk_error *err) {
    FK_SCOPED(fk_names_finish) fk_names names = {0};
    char own[sizeof(fk_font_id)];
    *ret_shared = false;
    read_number(font_id, own);
    fk_code code = fk_directory_list(root, ".", &names, err);
    for (size_t i = 0; code == FK_OK && i < names.count; i++) {
        fk_font_id id;
        char number[sizeof(fk_font_id)];
        if (read_font_name(names.names[i], &id) && strcmp(id.text, font_id) != 0) {
            read_number(id.text, number);
            *ret_shared = *ret_shared || strcmp(number, own) == 0;
        }
    }
    return code;
}

static fk_code choose_id(int root, const char *name, fk_font_id *ret_id, fk_error *err) {
    char number[sizeof(fk_font_id) + 1];
    FK_SCOPED(fk_buffer_finish) fk_buffer text = {0};
    fk_code code = next_number(root, number, err);
    if (code != FK_OK) {
        return code;
    }
    fk_buffer_append_format(&text, "%s-%s", number, name);
    if (text.failed) {
        return fk_error_no_memory(err);
    }
    code = fk_font_id_check((const char *)text.bytes, err);
    if (code == FK_OK) {
        fk_text_copy(ret_id->text, sizeof ret_id->text, (const char *)text.bytes);
    }
    return code;
}

/* Who sees another font with its number gives way: of two that took it at once, at least one sees
 * the other, because each looks after its mkdir. `*ret_made` false: try again. */
static fk_code try_number(fk_store *store, int root, const char *name, bool *ret_made,
                          fk_font_id *ret_id, fk_error *err) {
    bool shared = false;
    *ret_made = false;
    fk_code code = choose_id(root, name, ret_id, err);
    if (code == FK_OK) {
        code = make_font(store, root, ret_id->text, err);
    }
    if (code != FK_OK) {
        return code == FK_E_FONT_EXISTS ? FK_OK : code;
    }
    code = number_is_shared(root, ret_id->text, &shared, err);
    if (code != FK_OK || shared) {
        remove_font(root, ret_id->text);
    }
    *ret_made = code == FK_OK && !shared;
    return code;
}

static void wait_a_random_moment(void) {
    char hex[3] = "80";
    fk_clock_random_hex(hex, 1, NULL);
    fk_clock_sleep_ms((uint32_t)strtoul(hex, NULL, 16) / 8 + 1);
}

fk_code fk_create_next_font(fk_store *store, const char *name, fk_font_id *ret_font_id,
                            fk_error *err) {
    FK_SCOPED(fk_file_closep) int root = -1;
    fk_font_id id = {{0}};
    bool made = false;
    fk_code code = fk_store_open_root(store, &root, err);
    for (int attempt = 0; code == FK_OK && !made && attempt < ATTEMPTS_MAX; attempt++) {
        if (attempt > 0) {
            wait_a_random_moment();
        }
        code = try_number(store, root, name, &made, &id, err);
    }
    if (code == FK_OK && !made) {
        fk_error_set(err, FK_E_BUSY, "others took each of %d numbers first", ATTEMPTS_MAX);
        fk_error_hint(err, "try again");
        fk_error_path(err, store->path);
        return FK_E_BUSY;
    }
    if (code == FK_OK) {
        note_first_write(store, root);
        *ret_font_id = id;
    }
    return code;
}
