#include "store/run/wording.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* The object of "cannot VERB 'path'", or the start: where an error names what it is about. */
static const char *find_subject(const char *message) {
    return fk_text_starts_with(message, "cannot ") ? message + strcspn(message, "'") : message;
}

void fk_wording_say_it(const char *message, const char *path, char into[FK_WORDING_BYTES]) {
    static const char of_run[] = " of run '";
    char name[FK_WORDING_BYTES];
    int length = path == NULL ? 0 : snprintf(name, sizeof name, "'%s'", path);
    const char *found = find_subject(message);
    if (length == 0 || !fk_text_starts_with(found, name)) {
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
