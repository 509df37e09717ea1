#include <stdio.h>

#include "commands.h"
#include "fail.h"
#include "json_output.h"

static void print(const cli_context *context, const char *font_id) {
    if (!context->json) {
        printf("%s\n", font_id);
        return;
    }
    fk_values *values = fk_values_create();
    fk_value *document = fk_value_container(values, FK_KIND_DICT);
    cli_json_put(values, document, "font_id", cli_json_text(values, font_id));
    cli_json_print(stdout, document);
    fk_values_destroy(values);
}

int cli_cmd_create(cli_context *context) {
    const char *font_id = cli_context_argument(context, 0);
    const char *name = cli_context_option(context, "next");
    fk_store *store = NULL;
    fk_font_id numbered;
    if ((font_id == NULL) == (name == NULL)) {
        cli_fail_usage(context, "either a font id or --next NAME is needed");
        return cli_fail(context);
    }
    fk_code code = cli_context_open(context, false, &store);
    if (code == FK_OK && name != NULL) {
        code = fk_create_next_font(store, name, &numbered, &context->error);
        font_id = numbered.text;
    } else if (code == FK_OK) {
        code = fk_create_font(store, font_id, &context->error);
    }
    if (code == FK_OK) {
        print(context, font_id);
    }
    fk_store_close(store);
    return code == FK_OK ? 0 : cli_fail(context);
}
