#include <stdio.h>

#include "commands.h"
#include "fail.h"
#include "json_output.h"

static void print(const cli_context *context, const fk_store *store, const char *store_id) {
    if (!context->json) {
        printf("%s\n", fk_store_path(store));
        return;
    }
    fk_values *values = fk_values_create();
    fk_value *document = fk_value_container(values, FK_KIND_DICT);
    cli_json_put(values, document, "store", cli_json_text(values, fk_store_path(store)));
    cli_json_put(values, document, "store_id", cli_json_text(values, store_id));
    cli_json_print(stdout, document);
    fk_values_destroy(values);
}

int cli_cmd_init(cli_context *context) {
    fk_store *store = NULL;
    char store_id[37];
    if (cli_context_argument(context, 0) != NULL) {
        context->store_path = cli_context_argument(context, 0);
    }
    fk_code code = cli_context_open(context, true, &store);
    if (code == FK_OK) {
        code = fk_store_init(store, store_id, &context->error);
    }
    if (code == FK_OK) {
        print(context, store, store_id);
    }
    fk_store_close(store);
    return code == FK_OK ? 0 : cli_fail(context);
}
