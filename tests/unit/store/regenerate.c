#include "regenerate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "store/change/generation.h"
#include "tree.h"

/* Replaces the sample of the run by pixels. */
fk_code bench_regenerate(bench *it) {
    static const unsigned char pixels[4] = {1, 2, 3, 4};
    const fk_image image = {pixels, sizeof pixels, 2, 2, 1};
    fk_generation *generation = NULL;
    fk_code code = fk_generation_create(it->store, "1-fruity", RUN, &generation, &it->err);
    if (code == FK_OK) {
        code = fk_draft_set_sample(generation->draft, &image, &it->err);
    }
    if (code == FK_OK) {
        code = fk_generation_publish(generation, &it->err);
    }
    fk_generation_destroy(generation);
    return code;
}

uint64_t bench_generation(bench *it, const char *run_id) {
    fk_run_info *info = NULL;
    assert_int_equal(fk_get_run_info(it->store, "1-fruity", run_id, &info, &it->err), FK_OK);
    uint64_t generation = info->generation;
    fk_run_info_destroy(info);
    return generation;
}

/* One row per entry of the trash: "n, n, ...". */
void bench_assert_trash(bench *it, const char *ids) {
    char text[1024] = "";
    fk_trash_list *trash = NULL;
    assert_int_equal(fk_trash(it->store, &trash, &it->err), FK_OK);
    for (size_t i = 0; i < fk_trash_list_count(trash); i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%s", i == 0 ? "" : ", ",
                 strrchr(fk_trash_list_at(trash, i)->trash_id, '.') + 1);
    }
    fk_trash_list_destroy(trash);
    assert_string_equal(text, ids);
}

void bench_recover(bench *it, size_t removed, size_t kept) {
    fk_recovery *recovery = NULL;
    assert_int_equal(fk_recover(it->store, &recovery, &it->err), FK_OK);
    assert_int_equal(recovery->removed_count, removed);
    assert_int_equal(recovery->kept_count, kept);
    fk_recovery_destroy(recovery);
    assert_int_equal(tree_count(bench_in_runs(it, ""), ".stage-", NULL), 0);
}

size_t bench_sample_bytes(bench *it) {
    size_t length = 0;
    free(tree_read(bench_in_runs(it, RUN "/sample.png"), &length));
    return length;
}
