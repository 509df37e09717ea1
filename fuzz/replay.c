/* Feeds files to a target without a fuzzer: the corpus as a plain test, in any build.
 * Usage: replay_TARGET DIRECTORY|FILE ... */
#include <dirent.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "fuzz.h"

static unsigned replayed;

/* The mutators of the targets are never called here. */
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t length, size_t length_max) {
    (void)bytes;
    (void)length_max;
    return length;
}

static void replay_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(2);
    }
    size_t length = (size_t)ftell(file);
    uint8_t *bytes = malloc(length + 1);
    rewind(file);
    if (bytes == NULL || fread(bytes, 1, length, file) != length) {
        perror(path);
        exit(2);
    }
    fclose(file);
    LLVMFuzzerTestOneInput(bytes, length);
    free(bytes);
    replayed++;
}

static void replay_directory(const char *path) {
    struct dirent **names = NULL;
    int count = scandir(path, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char *file = NULL;
        bool input = names[i]->d_name[0] != '.' && names[i]->d_type != DT_DIR;
        if (input && asprintf(&file, "%s/%s", path, names[i]->d_name) > 0) {
            replay_file(file);
        }
        free(file);
        free(names[i]);
    }
    free(names);
}

int main(int count, char **arguments) {
    for (int i = 1; i < count; i++) {
        struct stat status;
        if (stat(arguments[i], &status) != 0) {
            perror(arguments[i]);
            return 2;
        }
        S_ISDIR(status.st_mode) ? replay_directory(arguments[i]) : replay_file(arguments[i]);
    }
    printf("%u inputs\n", replayed);
    return replayed > 0 ? 0 : 1;
}
