#include "manifest_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store/manifest/manifest_parts.h"

#define TIMES16(digit)                                                                             \
    digit digit digit digit digit digit digit digit digit digit digit digit digit digit digit digit
#define TIMES32(digit) TIMES16(digit) TIMES16(digit)
#define TIMES64(digit) TIMES32(digit) TIMES32(digit)

/* clang-format off */
const char golden_body[] =
    "{\n"
    "  \"manifest_version\": 1,\n"
    "  \"font_id\": \"1-fruity\",\n"
    "  \"run_id\": \"2026-01-11T08:30:00.000000\",\n"
    "  \"status\": \"completed\",\n"
    "  \"started_at\": \"2026-01-11T08:10:00.000000Z\",\n"
    "  \"ended_at\": \"2026-01-11T08:30:00.000000Z\",\n"
    "  \"training\": {\"epochs\": 40, \"learning_rate\": 0.001},\n"
    "  \"metrics\": {\"loss\": 0.031, \"best\": \"NaN\"},\n"
    "  \"weights_version\": \"v1\",\n"
    "  \"feedback_schema\": \"1.0\",\n"
    "  \"parent_run_id\": null,\n"
    "  \"personality\": {\"dtype\": \"float32\", \"shape\": [64]},\n"
    "  \"glyphs\": 2,\n"
    "  \"weights_bytes\": 16777217,\n"
    "  \"size_bytes\": 16778454,\n"
    "  \"written_by\": \"fontkeep 0.1.0\",\n"
    "  \"files\": [\n"
    "    {\"path\": \"eval-glyphs/A.png\", \"size\": 1234,"
    " \"sha256\": [\"" TIMES64("1") "\"], \"label\": \"A\"},\n"
    "    {\"path\": \"eval-glyphs/uni0026.png\", \"size\": 0,"
    " \"sha256\": [\"" TIMES64("2") "\"], \"label\": \"&\"},\n"
    "    {\"path\": \"feedback.json\", \"size\": 2, \"sha256\": [\"" TIMES64("3") "\"]},\n"
    "    {\"path\": \"sample.png\", \"size\": 1, \"sha256\": [\"" TIMES64("4") "\"]},\n"
    "    {\"path\": \"weights\", \"size\": 16777217,"
    " \"sha256\": [\"" TIMES64("5") "\", \"" TIMES64("6") "\"],"
    " \"xxh3\": [\"" TIMES32("7") "\", \"" TIMES32("8") "\"]}\n"
    "  ]";
/* clang-format on */

/* `count` digests of `digits` digits each. */
static void *make_digests(size_t count, size_t digits, char first) {
    char *digests = calloc(count, digits + 1);
    for (size_t i = 0; i < count; i++) {
        memset(digests + i * (digits + 1), first + (int)i, digits);
    }
    return digests;
}

void add_file(fk_manifest_files *files, const char *path, const char *label, uint64_t bytes,
              char sha256, char xxh3) {
    size_t pieces = (size_t)fk_manifest_pieces(bytes);
    fk_file_digests digests = {.bytes = bytes, .pieces = pieces};
    digests.sha256 = make_digests(pieces, FK_SHA256_HEX_BYTES - 1, sha256);
    digests.xxh3 = xxh3 == '\0' ? NULL : make_digests(pieces, FK_XXH3_HEX_BYTES - 1, xxh3);
    fk_error err;
    assert_int_equal(fk_manifest_files_add(files, path, label, &digests, &err), FK_OK);
    assert_null(digests.sha256);
}

void add_sample_files(fk_manifest_files *files) {
    add_file(files, "weights", NULL, FK_PIECE_BYTES + 1, '5', '7');
    add_file(files, "sample.png", NULL, 1, '4', '\0');
    add_file(files, "eval-glyphs/uni0026.png", "&", 0, '2', '\0');
    add_file(files, "eval-glyphs/A.png", "A", 1234, '1', '\0');
    add_file(files, "feedback.json", NULL, 2, '3', '\0');
}

fk_manifest_head sample_head(fk_values *values) {
    static const int64_t shape[] = {64};
    static fk_storage storage = {NULL, 256};
    static const fk_tensor vector = {
        .dtype = FK_FLOAT32, .rank = 1, .shape = shape, .storage = &storage};
    fk_value *training = fk_value_container(values, FK_KIND_DICT);
    fk_value_set(training, "epochs", fk_value_int(values, 40));
    fk_value_set(training, "learning_rate", fk_value_float(values, 0.001));
    fk_value *metrics = fk_value_container(values, FK_KIND_DICT);
    fk_value_set(metrics, "loss", fk_value_float(values, 0.031));
    fk_value_set(metrics, "best", fk_value_float(values, (double)NAN));
    return (fk_manifest_head){
        .font_id = "1-fruity",
        .run_id = "2026-01-11T08:30:00.000000",
        .status = FK_COMPLETED,
        .started_at_us = INT64_C(1768119000000000),
        .ended_at_us = INT64_C(1768120200000000),
        .training = training,
        .metrics = metrics,
        .weights_version = "v1",
        .feedback_schema = "1.0",
        .personality_vector = &vector,
        .generation = 1,
    };
}

char *seal(const char *body) {
    FK_SCOPED(fk_buffer_finish) fk_buffer text = {0};
    char self[FK_SHA256_HEX_BYTES];
    fk_error err;
    assert_int_equal(fk_sha256_hex(body, strlen(body), self, &err), FK_OK);
    fk_buffer_append_format(&text, "%s%s%s%s", body, FK_MANIFEST_SELF_START, self, FK_MANIFEST_END);
    return fk_buffer_take(&text, NULL);
}

char *seal_changed(const char *old, const char *changed) {
    FK_SCOPED(fk_buffer_finish) fk_buffer body = {0};
    const char *found = strstr(golden_body, old);
    if (found == NULL) {
        fail_msg("'%s' is not in the manifest", old);
        return NULL;
    }
    fk_buffer_append(&body, golden_body, (size_t)(found - golden_body));
    fk_buffer_append_text(&body, changed);
    fk_buffer_append_text(&body, found + strlen(old));
    return seal((char *)body.bytes);
}
