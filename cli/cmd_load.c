#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "fail.h"
#include "json_output.h"
#include "problems.h"
#include "progress.h"

static bool wants_salvage(const cli_context *context) {
    return cli_context_option(context, "salvage") != NULL;
}

static void print(const cli_context *context, const fk_run_info *info, const char *out) {
    if (!context->json) {
        printf("%s\n", out);
        return;
    }
    fk_values *values = fk_values_create();
    fk_value *document = fk_value_container(values, FK_KIND_DICT);
    cli_json_put(values, document, "font_id", cli_json_text(values, info->font_id));
    cli_json_put(values, document, "run_id", cli_json_text(values, info->run_id));
    cli_json_put(values, document, "out", cli_json_text(values, out));
    if (wants_salvage(context)) {
        cli_json_put(values, document, "problems",
                     cli_json_problems(values, info->problems, info->problem_count));
    }
    cli_json_print(stdout, document);
    fk_values_destroy(values);
}

/* Whether everything came along: 1 is the status of a command that found damage. */
static int copied_status(const fk_run_info *info) {
    static const char *const damage[] = {"missing", "size", "digest"};
    for (size_t i = 0; i < info->problem_count; i++) {
        for (size_t j = 0; j < sizeof damage / sizeof damage[0]; j++) {
            if (strcmp(info->problems[i].code, damage[j]) == 0) {
                return 1;
            }
        }
    }
    return info->health == FK_CORRUPT; /* a salvage past a damaged manifest */
}

static fk_code copy(cli_context *context, fk_store *store, const char *out,
                    fk_run_info **ret_info) {
    const char *font_id = cli_context_argument(context, 0);
    fk_run_id run_id;
    cli_progress progress;
    fk_code code = cli_context_run(context, store, font_id, 1, &run_id);
    if (code != FK_OK) {
        return code;
    }
    cli_progress_begin(&progress, context, "loading");
    code = (wants_salvage(context) ? fk_salvage_run : fk_copy_run)(
        store, font_id, run_id.text, out, cli_progress_step, &progress, ret_info, &context->error);
    cli_progress_end(&progress);
    return code;
}

int cli_cmd_load(cli_context *context) {
    const char *out = cli_context_option(context, "out");
    fk_store *store = NULL;
    fk_run_info *info = NULL;
    int status = 0;
    if (out == NULL) {
        cli_fail_usage(context, "--out DIR is missing");
        return cli_fail(context);
    }
    fk_code code = cli_context_open(context, false, &store);
    if (code == FK_OK) {
        code = copy(context, store, out, &info);
    }
    if (code == FK_OK) {
        print(context, info, out);
        cli_problems_warn(context, info);
        status = copied_status(info);
    }
    fk_run_info_destroy(info);
    fk_store_close(store);
    return code == FK_OK ? status : cli_fail(context);
}
