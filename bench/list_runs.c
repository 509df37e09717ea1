/* The library's listing, as a C program sees it.
 *
 *   list_runs STORE FONT COUNT      prints the seconds from opening the store to COUNT listed runs
 */
#include <fontkeep/fontkeep.h>

#include "stopwatch.h"

int main(int argc, char **argv) {
    must(argc == 4, "usage: list_runs STORE FONT COUNT");
    fk_error err = {0};
    fk_store *store = NULL;
    fk_run_list *runs = NULL;
    int64_t began = stopwatch_now_ns();
    if (fk_store_open(argv[1], NULL, &store, &err) != FK_OK ||
        fk_list_runs(store, argv[2], NULL, &runs, &err) != FK_OK) {
        fprintf(stderr, "list_runs: %s\n", err.message);
        return 1;
    }
    must(fk_run_list_count(runs) == strtoul(argv[3], NULL, 10), "the number of runs");
    stopwatch_print(began);
    fk_run_list_destroy(runs);
    fk_store_close(store);
    return 0;
}
