#include <stdio.h>

#include "commands.h"
#include "fail.h"
#include "human.h"
#include "json_output.h"

static uint64_t count_bytes(const fk_trash_list *purged) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < fk_trash_list_count(purged); i++) {
        bytes += fk_trash_list_at(purged, i)->bytes;
    }
    return bytes;
}

static void print_json(const fk_trash_list *purged) {
    fk_values *values = fk_values_create();
    fk_value *document = fk_value_container(values, FK_KIND_DICT);
    fk_value *removed = fk_value_container(values, FK_KIND_LIST);
    for (size_t i = 0; i < fk_trash_list_count(purged); i++) {
        cli_json_append(removed, cli_json_text(values, fk_trash_list_at(purged, i)->trash_id));
    }
    cli_json_put(values, document, "removed", removed);
    cli_json_put(values, document, "bytes", cli_json_number(values, count_bytes(purged)));
    cli_json_print(stdout, document);
    fk_values_destroy(values);
}

static void print_text(const fk_trash_list *purged) {
    char size[CLI_HUMAN_BYTES];
    for (size_t i = 0; i < fk_trash_list_count(purged); i++) {
        printf("purged  %s\n", fk_trash_list_at(purged, i)->trash_id);
    }
    printf("%zu purged, %s freed\n", fk_trash_list_count(purged),
           cli_human_size(count_bytes(purged), size));
}

int cli_cmd_purge(cli_context *context) {
    fk_store *store = NULL;
    fk_trash_list *purged = NULL;
    fk_code code = cli_context_open(context, false, &store);
    if (code == FK_OK) {
        code = fk_purge(store, cli_context_argument(context, 0), &purged, &context->error);
    }
    if (code == FK_OK && context->json) {
        print_json(purged);
    } else if (code == FK_OK) {
        print_text(purged);
    }
    fk_trash_list_destroy(purged);
    fk_store_close(store);
    return code == FK_OK ? 0 : cli_fail(context);
}
