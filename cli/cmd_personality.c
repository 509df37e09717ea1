#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "fail.h"
#include "json_output.h"

static fk_code to_stdout(cli_context *context, fk_store *store, const char *font_id,
                         const char *run_id, const char *format) {
    void *bytes = NULL;
    size_t length = 0;
    const char *wanted = format == NULL ? "json" : format;
    fk_code code =
        fk_read_personality(store, font_id, run_id, wanted, &bytes, &length, &context->error);
    if (code == FK_OK) {
        fwrite(bytes, 1, length, stdout);
    }
    free(bytes);
    return code;
}

static fk_code to_file(cli_context *context, fk_store *store, const char *font_id,
                       const char *run_id, const char *format) {
    const char *path = cli_context_option(context, "o");
    fk_code code = fk_export_personality(store, font_id, run_id, path, format, &context->error);
    if (code == FK_OK && context->json) {
        fk_values *values = fk_values_create();
        fk_value *document = fk_value_container(values, FK_KIND_DICT);
        cli_json_put(values, document, "font_id", cli_json_text(values, font_id));
        cli_json_put(values, document, "run_id", cli_json_text(values, run_id));
        cli_json_put(values, document, "out", cli_json_text(values, path));
        cli_json_print(stdout, document);
        fk_values_destroy(values);
    }
    return code;
}

int cli_cmd_personality(cli_context *context) {
    const char *font_id = cli_context_argument(context, 0);
    const char *format = cli_context_option(context, "format");
    fk_store *store = NULL;
    fk_run_id run_id;
    fk_code code = cli_context_open(context, false, &store);
    if (code == FK_OK) {
        code = cli_context_run(context, store, font_id, 1, &run_id);
    }
    if (code == FK_OK && cli_context_option(context, "o") != NULL) {
        code = to_file(context, store, font_id, run_id.text, format);
    } else if (code == FK_OK) {
        code = to_stdout(context, store, font_id, run_id.text, format);
    }
    fk_store_close(store);
    return code == FK_OK ? 0 : cli_fail(context);
}
