/* Files a user names as a personality vector (.json, .npy, .pt): the first byte chooses. */
#include <sys/mman.h>
#include <unistd.h>

#include "fontkeep/checkpoint.h"
#include "fuzz.h"
#include "tree.h"
#include "value/values.h"

static char *directory;

static void clean_up(void) {
    tree_destroy(directory);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    static const char *const names[] = {"vector.json", "vector.npy", "vector.pt"};
    if (directory == NULL) {
        directory = tree_create();
        atexit(clean_up);
    }
    if (length == 0) {
        return 0;
    }
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    const char *path = tree_path(directory, names[bytes[0] % 3]);
    fk_value *tensor = NULL;
    fk_error err = {.code = FK_OK};
    tree_write(path, bytes + 1, length - 1);
    fk_code code = fk_read_tensor_file(path, values, &tensor, &err);
    fuzz_require((code == FK_OK) == (tensor != NULL));
    fuzz_require(code == FK_OK || err.message[0] != '\0');
    fuzz_require(tensor == NULL || fk_value_kind(tensor) == FK_KIND_TENSOR);
    return 0;
}
