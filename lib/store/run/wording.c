#include "store/run/wording.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

void fk_wording_say_it(const char *message, const char *path, char into[FK_WORDING_BYTES]) {
    static const char of_run[] = " of run '";
    char name[FK_WORDING_BYTES];
    snprintf(name, sizeof name, "'%s'", path);
    const char *found = strstr(message, name);
    if (found == NULL) {
        fk_text_copy(into, FK_WORDING_BYTES, message);
        return;
    }
    const char *rest = found + strlen(name);
    if (fk_text_starts_with(rest, of_run)) {
        rest += strlen(of_run);
        rest += strcspn(rest, "'");
        rest += *rest == '\'';
    }
    snprintf(into, FK_WORDING_BYTES, "%.*sit%s", (int)(found - message), message, rest);
}
