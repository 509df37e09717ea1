#include "store/handle/options.h"

#include <string.h>

fk_code fk_options_copy(void *into, size_t into_bytes, const void *from, const char *name,
                        fk_error *err) {
    if (from == NULL) {
        return FK_OK;
    }
    size_t from_bytes;
    memcpy(&from_bytes, from, sizeof from_bytes);
    if (from_bytes < sizeof from_bytes) {
        fk_code code = fk_error_set(err, FK_E_USAGE, "the size member of %s is not set", name);
        fk_error_hint(err, "set size to sizeof(%s)", name);
        return code;
    }
    for (size_t i = into_bytes; i < from_bytes; i++) {
        if (((const unsigned char *)from)[i] != 0) {
            fk_code code =
                fk_error_set(err, FK_E_USAGE,
                             "%s has a member that this version of fontkeep does not know", name);
            fk_error_hint(err, "use the newer fontkeep that the program was compiled with");
            return code;
        }
    }
    memcpy(into, from, from_bytes < into_bytes ? from_bytes : into_bytes);
    return FK_OK;
}
