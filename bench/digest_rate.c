/* What the digests of a save cost the processors.
 *
 *   digest_rate THREADS BYTES
 *
 * For each of "sha256", "xxh3", "crc32" on standard input: THREADS threads at once go over BYTES
 * bytes each, 1 MiB at a time that stays in their cache; prints the seconds.
 */
#include <pthread.h>

#include "digest/digest.h"
#include "stopwatch.h"

enum { CHUNK = 1 << 20, MOST_THREADS = 64 };

typedef struct digest_job {
    const char *kind;
    size_t bytes;
} digest_job;

static void digest(const char *kind, const uint8_t *chunk, size_t bytes) {
    FK_SCOPED(fk_sha256_destroyp) fk_sha256 *sha256 = NULL;
    FK_SCOPED(fk_xxh3_destroyp) fk_xxh3 *xxh3 = NULL;
    uint32_t crc32 = 0;
    must(fk_sha256_create(&sha256, NULL) == FK_OK && fk_xxh3_create(&xxh3, NULL) == FK_OK, kind);
    for (size_t done = 0; done < bytes; done += CHUNK) {
        if (strcmp(kind, "sha256") == 0) {
            must(fk_sha256_update(sha256, chunk, CHUNK, NULL) == FK_OK, kind);
        } else if (strcmp(kind, "xxh3") == 0) {
            fk_xxh3_update(xxh3, chunk, CHUNK);
        } else {
            must(strcmp(kind, "crc32") == 0, "usage: sha256, xxh3 or crc32");
            crc32 = fk_crc32_update(crc32, chunk, CHUNK);
        }
    }
}

static void *run(void *user) {
    const digest_job *job = user;
    uint8_t *chunk = malloc(CHUNK);
    must(chunk != NULL, "memory");
    for (size_t i = 0; i < CHUNK; i++) {
        chunk[i] = (uint8_t)(i * 31 + i / 251);
    }
    digest(job->kind, chunk, job->bytes);
    free(chunk);
    return NULL;
}

static void run_together(digest_job *job, size_t threads) {
    pthread_t others[MOST_THREADS];
    for (size_t i = 1; i < threads; i++) {
        must(pthread_create(&others[i], NULL, run, job) == 0, "thread");
    }
    run(job);
    for (size_t i = 1; i < threads; i++) {
        pthread_join(others[i], NULL);
    }
}

int main(int argc, char **argv) {
    must(argc == 3, "usage: digest_rate THREADS BYTES");
    size_t threads = strtoul(argv[1], NULL, 10);
    must(threads >= 1 && threads <= MOST_THREADS, "usage: 1 to 64 threads");
    char kind[16];
    while (fgets(kind, sizeof kind, stdin) != NULL) {
        kind[strcspn(kind, "\n")] = '\0';
        digest_job job = {.kind = kind, .bytes = strtoul(argv[2], NULL, 10)};
        int64_t began = stopwatch_now_ns();
        run_together(&job, threads);
        stopwatch_print(began);
    }
    return 0;
}
