#include "janitor.h"

#include "harness.h"
#include "os/kernel.h"
#include "recorder.h"

static struct {
    char path[256];
    bool blind;
} scene;

static int grant(int fd, struct flock *lock) {
    (void)fd;
    (void)lock;
    return 0;
}

static void recover(void) {
    fk_kernel blind = fk_kernel_linux;
    fk_store *store = NULL;
    fk_recovery *recovery = NULL;
    blind.set_lock = grant;
    fk_kernel_current = scene.blind ? &blind : &fk_kernel_linux;
    harness_check(fk_store_open(scene.path, NULL, &store, NULL) == FK_OK, "open");
    if (fk_recover(store, &recovery, NULL) == FK_OK) {
        fk_recovery_destroy(recovery);
    }
    fk_store_close(store);
}

static bool is_well(const char *path) {
    fk_store *store = NULL;
    fk_run_list *runs = NULL;
    harness_check(fk_store_open(path, NULL, &store, NULL) == FK_OK, "open");
    harness_check(fk_verify(store, NULL, NULL, NULL, NULL, &runs, NULL) == FK_OK, "verify");
    bool well = fk_run_list_count(runs) > 0;
    for (size_t i = 0; i < fk_run_list_count(runs); i++) {
        well = well && fk_run_list_at(runs, i)->health == FK_COMPLETE;
    }
    fk_run_list_destroy(runs);
    fk_store_close(store);
    return well;
}

/* False when the save has no change of that number. */
static bool save_with_recovery_at(size_t change, const fk_model *model, bool *ret_well) {
    harness_make_directory(scene.path);
    recorder_before(change, recover);
    recorder_start(scene.path);
    fk_code code = operation_first_save.run(scene.path, model, NULL);
    bool reached = recorder_changes() > change;
    oplog log = recorder_stop();
    oplog_finish(&log);
    *ret_well = code == FK_OK && is_well(scene.path);
    harness_remove_directory(scene.path);
    return reached;
}

janitor_figures janitor_interrupt(const fk_model *model, bool blind) {
    janitor_figures figures = {0};
    bool well = false;
    scene.blind = blind;
    while (save_with_recovery_at(figures.moments, model, &well)) {
        figures.moments++;
        figures.violations += !well;
    }
    return figures;
}
