#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "fail.h"
#include "json_output.h"
#include "problems.h"
#include "table.h"

static fk_value *json_digests(fk_values *values, const char *const *digests, size_t count) {
    if (digests == NULL) {
        return fk_value_none(values);
    }
    fk_value *list = fk_value_container(values, FK_KIND_LIST);
    for (size_t i = 0; i < count; i++) {
        cli_json_append(list, cli_json_text(values, digests[i]));
    }
    return list;
}

static fk_value *json_file(fk_values *values, const fk_run_file *file) {
    fk_value *row = fk_value_container(values, FK_KIND_DICT);
    cli_json_put(values, row, "path", cli_json_text(values, file->path));
    cli_json_put(values, row, "size", cli_json_number(values, file->bytes));
    cli_json_put(values, row, "sha256", json_digests(values, file->sha256, file->pieces));
    if (file->xxh3 != NULL) {
        cli_json_put(values, row, "xxh3", json_digests(values, file->xxh3, file->pieces));
    }
    if (file->label != NULL) {
        cli_json_put(values, row, "label", cli_json_text(values, file->label));
    }
    return row;
}

static void print_json(const fk_run_info *info) {
    fk_values *values = fk_values_create();
    fk_value *document = cli_json_run(values, info);
    fk_value *files = fk_value_container(values, FK_KIND_LIST);
    for (size_t i = 0; i < info->file_count; i++) {
        cli_json_append(files, json_file(values, &info->files[i]));
    }
    cli_json_put(values, document, "files", files);
    cli_json_put(values, document, "personality", cli_json_personality(values, info));
    /* what else the manifest says, unknown members included */
    for (size_t i = 0; info->manifest != NULL && i < fk_value_count(info->manifest); i++) {
        const char *key = fk_value_as_text(fk_value_key(info->manifest, i), NULL);
        if (fk_value_get(document, key) == NULL) {
            cli_json_put(values, document, key,
                         cli_json_copy(values, fk_value_item(info->manifest, i)));
        }
    }
    cli_json_print(stdout, document);
    fk_values_destroy(values);
}

static void line(const char *name, const char *text) {
    if (text != NULL) {
        fputs("  ", stdout);
        cli_human_print(stdout, CLI_DIM, 12, name);
        printf(" %s\n", text);
    }
}

static void print_times(const fk_run_info *info) {
    char text[CLI_HUMAN_BYTES];
    char age[CLI_HUMAN_BYTES];
    char both[2 * CLI_HUMAN_BYTES + 4];
    if (info->started_at_us != FK_NO_TIME) {
        snprintf(both, sizeof both, "%s, %s", cli_human_time(info->started_at_us, text),
                 cli_human_age(info->started_at_us, age));
        line("started", both);
    }
    if (info->ended_at_us != FK_NO_TIME && info->started_at_us != FK_NO_TIME) {
        line("took", cli_human_duration(info->ended_at_us - info->started_at_us, text));
    }
}

static void print_personality(const fk_run_info *info) {
    char text[256];
    if (!info->has_personality) {
        return;
    }
    int used = snprintf(text, sizeof text, "%s [", fk_dtype_name(info->personality_dtype));
    for (size_t i = 0; i < info->personality_rank && used + 24 < (int)sizeof text; i++) {
        used += snprintf(text + used, sizeof text - (size_t)used, "%s%" PRId64, i == 0 ? "" : ", ",
                         info->personality_shape[i]);
    }
    snprintf(text + used, sizeof text - (size_t)used, "]");
    line("personality", text);
}

static void print_files(const fk_run_info *info) {
    static const char *const titles[] = {"  FILE", ">SIZE", "LABEL", "SHA-256"};
    cli_table *table = cli_table_create(4, titles);
    for (size_t i = 0; i < info->file_count; i++) {
        const fk_run_file *file = &info->files[i];
        char path[300];
        char size[CLI_HUMAN_BYTES];
        char digest[32];
        snprintf(path, sizeof path, "  %s", file->path);
        snprintf(digest, sizeof digest, "%.12s%s", file->sha256[0], file->pieces > 1 ? "..." : "");
        cli_human_size(file->bytes, size);
        const char *label = file->label == NULL ? "" : file->label;
        cli_table_row(table, (const char *const[]){path, size, label, digest}, NULL);
    }
    cli_table_print(table, stdout);
    cli_table_destroy(table);
}

static void print_text(const fk_run_info *info) {
    char text[512];
    cli_human_print(stdout, CLI_BOLD, 0, info->font_id);
    fputs("  ", stdout);
    cli_human_print(stdout, CLI_BOLD, 0, info->run_id);
    fputs("  ", stdout);
    cli_human_print(stdout, cli_human_health_colour(info->health), 0, fk_health_name(info->health));
    puts("");
    if (info->status != FK_STATUS_UNKNOWN) {
        line("status", fk_run_status_name(info->status));
    }
    print_times(info);
    line("training", cli_human_dict(info->training, text, sizeof text));
    line("metrics", cli_human_dict(info->metrics, text, sizeof text));
    print_personality(info);
    line("parent", info->parent_run_id);
    line("weights", info->weights_version);
    line("feedback", info->feedback_schema);
    line("written by", info->written_by);
    line("size", cli_human_size(info->size_bytes, text));
    line("path", info->path);
    cli_problems_print(info);
    if (info->file_count > 0) {
        puts("");
        print_files(info);
    }
}

int cli_cmd_show(cli_context *context) {
    const char *font_id = cli_context_argument(context, 0);
    fk_store *store = NULL;
    fk_run_id run_id;
    fk_run_info *info = NULL;
    fk_code code = cli_context_open(context, false, &store);
    if (code == FK_OK) {
        code = cli_context_run(context, store, font_id, 1, &run_id);
    }
    if (code == FK_OK) {
        code = fk_get_run_info(store, font_id, run_id.text, &info, &context->error);
    }
    if (code == FK_OK && context->json) {
        print_json(info);
    } else if (code == FK_OK) {
        print_text(info);
    }
    fk_run_info_destroy(info);
    fk_store_close(store);
    return code == FK_OK ? 0 : cli_fail(context);
}
