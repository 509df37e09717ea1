/* Reads checkpoints into values and writes the values again, for the tests of real PyTorch in
 * test_write_torch.py. Usage: checkpoint_copy IN OUT [IN OUT ...] */
#include "checkpoint/torch_read.h"
#include "checkpoint_file.h"
#include "value/values.h"

static int copy(const char *from, const char *into) {
    static fk_error err;
    size_t length = 0;
    FK_SCOPED(fk_freep) uint8_t *bytes = read_file(from, &length);
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    fk_value *top = NULL;
    fk_code code = fk_torch_read(bytes, length, FK_READ_CHECK_CRC, values, &top, &err);
    if (code == FK_OK) {
        code = write_checkpoint(into, top, &err);
    }
    if (code != FK_OK) {
        fprintf(stderr, "%s: %s: %s\n", from, fk_code_name(code), err.message);
    }
    return code == FK_OK ? 0 : 1;
}

int main(int count, char **arguments) {
    int status = count < 3 || count % 2 == 0 ? 2 : 0;
    for (int i = 1; status == 0 && i < count; i += 2) {
        status = copy(arguments[i], arguments[i + 1]);
    }
    return status;
}
