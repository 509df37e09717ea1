#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "fail.h"
#include "json_output.h"
#include "table.h"

static void print_json(const fk_inspection *inspection) {
    fk_values *values = fk_values_create();
    fk_value *document = fk_value_container(values, FK_KIND_DICT);
    fk_value *tensors = fk_value_container(values, FK_KIND_LIST);
    for (size_t i = 0; i < inspection->tensor_count; i++) {
        const fk_tensor_info *tensor = &inspection->tensors[i];
        fk_value *row = fk_value_container(values, FK_KIND_DICT);
        cli_json_put(values, row, "name", cli_json_text(values, tensor->name));
        cli_json_put(values, row, "dtype", cli_json_text(values, tensor->dtype));
        cli_json_put(values, row, "shape", cli_json_shape(values, tensor->shape, tensor->rank));
        cli_json_put(values, row, "bytes", cli_json_number(values, tensor->bytes));
        cli_json_append(tensors, row);
    }
    cli_json_put(values, document, "format", cli_json_text(values, inspection->format));
    cli_json_put(values, document, "tensors", tensors);
    cli_json_put(values, document, "findings",
                 cli_json_problems(values, inspection->findings, inspection->finding_count));
    cli_json_print(stdout, document);
    fk_values_destroy(values);
}

static void add_row(cli_table *table, const fk_tensor_info *tensor) {
    char shape[256] = "[";
    char size[CLI_HUMAN_BYTES];
    size_t used = 1;
    for (size_t i = 0; i < tensor->rank && used + 26 < sizeof shape; i++) {
        int more = snprintf(shape + used, sizeof shape - used, "%s%" PRId64, i == 0 ? "" : ", ",
                            tensor->shape[i]);
        used += more < 0 ? 0 : (size_t)more;
    }
    snprintf(shape + used, sizeof shape - used, "]");
    cli_human_size(tensor->bytes, size);
    cli_table_row(table, (const char *const[]){tensor->name, tensor->dtype, shape, size}, NULL);
}

static void print_text(const fk_inspection *inspection) {
    static const char *const titles[] = {"TENSOR", "DTYPE", "SHAPE", ">BYTES"};
    cli_table *table = cli_table_create(4, titles);
    uint64_t bytes = 0;
    char size[CLI_HUMAN_BYTES];
    for (size_t i = 0; i < inspection->tensor_count; i++) {
        add_row(table, &inspection->tensors[i]);
        bytes += inspection->tensors[i].bytes;
    }
    cli_table_print(table, stdout);
    cli_table_destroy(table);
    printf("\n%s, %zu tensor%s, %s\n", inspection->format, inspection->tensor_count,
           inspection->tensor_count == 1 ? "" : "s", cli_human_size(bytes, size));
    for (size_t i = 0; i < inspection->finding_count; i++) {
        const fk_problem *finding = &inspection->findings[i];
        cli_human_print(stdout, CLI_RED, 0, "suspicious");
        printf(" (%s", finding->code);
        if (finding->offset != FK_NO_OFFSET) {
            printf(", byte %" PRIu64, finding->offset);
        }
        printf("): %s\n", finding->message);
    }
}

static fk_code inspect(cli_context *context, fk_inspection **ret_inspection) {
    const char *first = cli_context_argument(context, 0);
    bool is_file = context->argument_count == 1 &&
                   (fk_font_id_check(first, NULL) != FK_OK || access(first, F_OK) == 0);
    if (is_file) {
        return fk_inspect_file(first, ret_inspection, &context->error);
    }
    fk_store *store = NULL;
    fk_run_id run_id;
    fk_code code = cli_context_open(context, false, &store);
    if (code == FK_OK) {
        code = cli_context_run(context, store, first, 1, &run_id);
    }
    if (code == FK_OK) {
        code = fk_inspect_run(store, first, run_id.text, ret_inspection, &context->error);
    }
    fk_store_close(store);
    return code;
}

int cli_cmd_inspect(cli_context *context) {
    fk_inspection *inspection = NULL;
    fk_code code = inspect(context, &inspection);
    if (code == FK_OK && context->json) {
        print_json(inspection);
    } else if (code == FK_OK) {
        print_text(inspection);
    }
    fk_inspection_destroy(inspection);
    return code == FK_OK ? 0 : cli_fail(context);
}
