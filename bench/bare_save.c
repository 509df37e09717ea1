/* What any durable save of a run's files must do, and nothing else: no digest, no check, no format.
 *
 *   bare_save RUN PARENT
 *
 * Holds the files of the run directory RUN in memory. For each name on standard input: writes them
 * into a new directory in PARENT, starts write-back of each, syncs each and the directories,
 * renames the directory to that name, syncs PARENT, prints the seconds.
 */
#include <dirent.h>

#include "whole_file.h"

enum { MOST_FILES = 512 };

typedef struct run_file {
    char *name;
    int fd; /* while it is saved */
    whole_file content;
} run_file;

typedef struct run_files {
    run_file list[MOST_FILES];
    int count;
} run_files;

/* `below` is "" or the one directory below. */
static void gather(run_files *files, const char *run, const char *below) {
    char path[4096], name[512];
    snprintf(path, sizeof path, "%s/%s", run, below);
    DIR *directory = opendir(path);
    must(directory != NULL, path);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        snprintf(name, sizeof name, "%s%s", below, entry->d_name);
        if (entry->d_type == DT_REG && files->count < MOST_FILES) {
            run_file *file = &files->list[files->count++];
            snprintf(path, sizeof path, "%s/%s", run, name);
            file->name = strdup(name);
            file->content = whole_file_read(AT_FDCWD, path);
        }
    }
    closedir(directory);
}

static void sync_directory(int parent, const char *name) {
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    must(fd >= 0 && fsync(fd) == 0, name);
    close(fd);
}

static void save(run_files *files, int parent, const char *name) {
    must(mkdirat(parent, ".stage", 0777) == 0, ".stage");
    int stage = openat(parent, ".stage", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    must(stage >= 0 && mkdirat(stage, "eval-glyphs", 0777) == 0, "eval-glyphs");
    for (int i = 0; i < files->count; i++) {
        run_file *file = &files->list[i];
        file->fd = whole_file_write(stage, file->name, &file->content, 0);
    }
    for (int i = 0; i < files->count; i++) {
        sync_file_range(files->list[i].fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    }
    for (int i = 0; i < files->count; i++) {
        must(fsync(files->list[i].fd) == 0, files->list[i].name);
        must(close(files->list[i].fd) == 0, files->list[i].name);
    }
    sync_directory(stage, "eval-glyphs");
    must(fsync(stage) == 0 && close(stage) == 0, ".stage");
    must(renameat2(parent, ".stage", parent, name, RENAME_NOREPLACE) == 0, name);
    must(fsync(parent) == 0, "the parent directory");
}

int main(int argc, char **argv) {
    must(argc == 3, "usage: bare_save RUN PARENT");
    static run_files files;
    gather(&files, argv[1], "");
    gather(&files, argv[1], "eval-glyphs/");
    int parent = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    must(parent >= 0, argv[2]);
    char name[256];
    while (fgets(name, sizeof name, stdin) != NULL) {
        name[strcspn(name, "\n")] = '\0';
        int64_t began = stopwatch_now_ns();
        save(&files, parent, name);
        stopwatch_print(began);
    }
    return 0;
}
