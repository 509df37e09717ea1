#include "digest/file_digests.h"

#include <stdlib.h>

void fk_file_digests_finish(fk_file_digests *digests) {
    if (digests != NULL) {
        free(digests->sha256);
        free(digests->xxh3);
        *digests = (fk_file_digests){0};
    }
}
