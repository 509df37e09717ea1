#include "fontkeep/fontkeep.h"

const char *fk_version(void) {
    return FK_VERSION;
}
