#include "store/run/inside.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "os/file.h"
#include "store/names/layout.h"

fk_code fk_inside_read(const fk_run *run, fk_inside *ret_inside, fk_error *err) {
    FK_SCOPED(fk_inside_finish) fk_inside inside = {0};
    fk_code code = fk_directory_list(run->directory, run->info.path, &inside.top, err);
    if (code != FK_OK) {
        return code;
    }
    if (fk_names_contain(&inside.top, FK_GLYPHS_DIRECTORY)) {
        code = fk_directory_list_beneath(run->directory, FK_GLYPHS_DIRECTORY, &inside.glyphs,
                                         &inside.no_glyphs);
        if (code == FK_E_NO_MEMORY) {
            return fk_error_no_memory(err);
        }
        inside.has_glyphs = code == FK_OK;
    }
    *ret_inside = inside;
    inside = (fk_inside){0};
    return FK_OK;
}

void fk_inside_finish(fk_inside *inside) {
    fk_names_finish(&inside->top);
    fk_names_finish(&inside->glyphs);
}

static unsigned char type_of_mode(mode_t mode) {
    return (unsigned char)IFTODT(mode);
}

static const char *type_name(unsigned char type) {
    switch (type) {
    case DT_LNK:
        return "a symbolic link, which is never followed";
    case DT_FIFO:
        return "a FIFO";
    case DT_DIR:
        return "a directory";
    case DT_REG:
        return "a file";
    case DT_SOCK:
        return "a socket";
    default:
        return "a device";
    }
}

static bool find_type(const fk_names *names, const char *name, unsigned char *ret_type) {
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->names[i], name) == 0) {
            *ret_type = names->types[i];
            return true;
        }
    }
    return false;
}

fk_code fk_inside_kind(const fk_run *run, const fk_inside *inside, const char *name, bool directory,
                       bool *ret_missing, const char **ret_wrong, fk_error *err) {
    unsigned char type = DT_UNKNOWN;
    *ret_wrong = NULL;
    *ret_missing = !find_type(&inside->top, name, &type);
    if (!*ret_missing && type == DT_UNKNOWN) {
        struct stat status;
        fk_code code = fk_file_look(run->directory, name, &status, ret_missing, err);
        if (code != FK_OK) {
            return code;
        }
        type = *ret_missing ? type : type_of_mode(status.st_mode);
    }
    if (!*ret_missing && type != (directory ? DT_DIR : DT_REG)) {
        *ret_wrong = type_name(type);
    }
    return FK_OK;
}

size_t fk_inside_png_count(const fk_inside *inside) {
    size_t count = 0;
    for (size_t i = 0; i < inside->glyphs.count; i++) {
        count += fk_text_ends_with(inside->glyphs.names[i], ".png");
    }
    return count;
}
