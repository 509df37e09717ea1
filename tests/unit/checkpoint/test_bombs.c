/* Small files that say much: each is looked at in a process of its own that may take 64 MiB more
 * than the file has bytes, and a few seconds of processor time, whatever the answer is. */
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "checkpoint/inspection.h"
#include "checkpoint/torch_damage.h"
#include "checkpoint/torch_write.h"
#include "checkpoint_fixture.h"
#include "memory_sink.h"

#if defined(__SANITIZE_ADDRESS__)
enum { MEASURES_MEMORY = 0 }; /* shadow and quarantine take more than what is measured */
#else
enum { MEASURES_MEMORY = 1 };
#endif
enum { MOST_KIB = 64 * 1024, MOST_SECONDS = 20, LONG_KEY = 2 << 20 };

#define TENSOR_A REBUILT("FloatStorage", "0", "cpu", "\4")
#define TENSOR_B REBUILT("LongStorage", "1", "cpu", "\2")

static void repeat(fk_buffer *pickle, const char *bytes, size_t length, size_t count) {
    for (size_t i = 0; i < count; i++) {
        fk_buffer_append(pickle, bytes, length);
    }
}

/* A text of LONG_KEY bytes into the memo under `index`; it ends with `last`. */
static void long_text(fk_buffer *pickle, uint8_t index, char last) {
    fk_buffer_append_text(pickle, "X");
    fk_buffer_append_u32(pickle, LONG_KEY);
    uint8_t *text = fk_buffer_extend(pickle, LONG_KEY);
    memset(text, 'k', LONG_KEY);
    text[LONG_KEY - 1] = (uint8_t)last;
    fk_buffer_append_text(pickle, "q");
    fk_buffer_append_byte(pickle, index);
    fk_buffer_append_text(pickle, "0"); /* POP: for the lenient reader alone */
}

/* The same for the strict reader, which knows no POP: the text stands in a list, whose items go on
 * until the 'e' that the caller writes. */
static void in_list(fk_buffer *pickle, uint8_t index, char last) {
    long_text(pickle, index, last);
    pickle->length--;
}

/* {K: {K: ... tensor}}, deep, K long. */
static void nest_under_long_keys(fk_buffer *pickle) {
    fk_buffer_append_text(pickle, "](");
    in_list(pickle, 1, 'k');
    repeat(pickle, SIZED("}h\1"), 900);
    fk_buffer_append(pickle, SIZED(TENSOR_A));
    repeat(pickle, SIZED("s"), 900);
    fk_buffer_append(pickle, SIZED(TENSOR_B "e."));
}

/* The same around something refused, whose place the error tells. */
static void refuse_under_long_keys(fk_buffer *pickle) {
    fk_buffer_append_text(pickle, "](");
    in_list(pickle, 1, 'k');
    repeat(pickle, SIZED("}h\1"), 900);
    fk_buffer_append(pickle, SIZED("cos\nsystem\n"));
    repeat(pickle, SIZED("s"), 900);
    fk_buffer_append(pickle, SIZED("e."));
}

/* [{K: None}, {K: None}, ...] */
static void give_long_keys_often(fk_buffer *pickle) {
    fk_buffer_append_text(pickle, "](");
    in_list(pickle, 1, 'k');
    repeat(pickle, SIZED("}h\1Ns"), 100000);
    fk_buffer_append(pickle, SIZED(TENSOR_A TENSOR_B "e."));
}

/* Dicts of two keys that differ at their last byte. */
static void compare_long_keys_often(fk_buffer *pickle) {
    fk_buffer_append_text(pickle, "](");
    in_list(pickle, 1, 'k');
    in_list(pickle, 2, 'l');
    repeat(pickle, SIZED("}(h\1Nh\2Nu"), 100000);
    fk_buffer_append(pickle, SIZED(TENSOR_A TENSOR_B "e."));
}

/* One dict with the same key again and again. */
static void repeat_one_long_key(fk_buffer *pickle) {
    fk_buffer_append_text(pickle, "](");
    in_list(pickle, 1, 'k');
    fk_buffer_append_text(pickle, "}(");
    repeat(pickle, SIZED("h\1N"), 100000);
    fk_buffer_append(pickle, SIZED("ue."));
}

/* 2 to the 60 occurrences of a tensor. */
static void double_a_tensor(fk_buffer *pickle) {
    fk_buffer_append(pickle, SIZED("]" TENSOR_B "a" TENSOR_A "q\0"));
    repeat(pickle, SIZED("h\0\x86q\0"), 60);
    fk_buffer_append(pickle, SIZED("\x86."));
}

static void double_nothing(fk_buffer *pickle) {
    fk_buffer_append(pickle, SIZED(TENSOR_A TENSOR_B "\x86q\0Nq\1"));
    repeat(pickle, SIZED("h\1\x86q\1"), 60);
    fk_buffer_append(pickle, SIZED("\x86."));
}

/* Many names, each of them long. */
static void list_tensors_under_long_keys(fk_buffer *pickle) {
    fk_buffer_append_text(pickle, "](");
    in_list(pickle, 1, 'k');
    repeat(pickle, SIZED("}h\1"), 900);
    fk_buffer_append(pickle, SIZED("](" TENSOR_A TENSOR_B "q\2"));
    repeat(pickle, SIZED("h\2"), 100000);
    fk_buffer_append(pickle, SIZED("e"));
    repeat(pickle, SIZED("s"), 900);
    fk_buffer_append(pickle, SIZED("e."));
}

/* What a lenient look finds has a long name. */
static void name_long_globals(fk_buffer *pickle) {
    long_text(pickle, 1, 'k');
    repeat(pickle, SIZED("h\1h\1\x93)R0"), 50000);
    fk_buffer_append(pickle, SIZED("N."));
}

/* A set of the same items, made anew from one list again and again. */
static void copy_a_list_often(fk_buffer *pickle) {
    fk_buffer_append(pickle, SIZED("](c__builtin__\nset\nq\0]("));
    repeat(pickle, SIZED("N"), 10000);
    fk_buffer_append(pickle, SIZED("eq\1"));
    repeat(pickle, SIZED("h\0h\1\x85R"), 100000);
    fk_buffer_append(pickle, SIZED("e."));
}

static void write_again(const fk_value *top) {
    FK_SCOPED(fk_torch_writer_destroyp) fk_torch_writer *writer = NULL;
    memory_sink sink = {.keep_below = 1};
    fk_sink into = {memory_sink_write, &sink};
    if (fk_torch_writer_create(top, &writer, NULL) == FK_OK) {
        fk_torch_writer_write(writer, &into, NULL, NULL, NULL);
    }
}

static bool nothing_holds(void *user, uint64_t offset, uint64_t bytes) {
    (void)user, (void)offset, (void)bytes;
    return false;
}

static void salvage(uint8_t *file, size_t length) {
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    FK_SCOPED(fk_torch_losses_finish) fk_torch_losses losses = {0};
    const fk_torch_proof proof = {nothing_holds, NULL};
    fk_value *top = NULL;
    fk_torch_salvage(file, length, &proof, values, &top, &losses, NULL);
}

/* All that looks into a file of strangers. */
static void look(checkpoint *one) {
    fk_inspection *inspection = NULL;
    fk_torch_losses losses = {0};
    uint8_t *file = one->built.file.bytes;
    size_t length = one->built.file.length;
    if (checkpoint_read(one, FK_READ_CHECK_CRC) == FK_OK) {
        write_again(one->top);
    }
    fk_values_destroy(one->values);
    one->values = NULL;
    fk_torch_inspect(file, length, &inspection, NULL);
    fk_inspection_destroy(inspection);
    file[one->built.payload[STORAGE_0]] ^= 1;
    file[one->built.payload[STORAGE_1]] ^= 1;
    assert_int_equal(fk_torch_locate_damage(file, length, NULL, &losses, NULL), FK_OK);
    fk_torch_losses_finish(&losses);
    salvage(file, length);
}

static long peak_kib(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* A directory that tells of one damaged record again and again. `right`: with its CRC. */
static void repeat_a_record(archive *built, bool right) {
    enum { TIMES = 60000, PAYLOAD_BYTES = 16 << 20 };
    uint8_t *payload = calloc(PAYLOAD_BYTES, 1);
    assert_non_null(payload);
    const archive_record big = {"archive/data/0", payload, PAYLOAD_BYTES};
    archive_local(built, &two_tensors[PICKLE], PICKLE, true);
    archive_local(built, &big, STORAGE_0, true);
    built->file.bytes[built->descriptor[STORAGE_0]] ^= 1;
    size_t directory = built->file.length;
    archive_entry(built, &two_tensors[PICKLE], PICKLE, true);
    archive_entry(built, &big, STORAGE_0, true);
    size_t entry = built->entry[STORAGE_0];
    size_t bytes = built->file.length - entry;
    built->file.bytes[entry + 16] ^= right ? 0 : 1;
    FK_SCOPED(fk_freep) void *again = malloc(bytes);
    assert_non_null(again);
    memcpy(again, built->file.bytes + entry, bytes);
    repeat(&built->file, again, bytes, TIMES - 1);
    fk_buffer_append_text(&built->file, "PK\5\6");
    fk_buffer_append_u32(&built->file, 0);
    fk_buffer_append_u16(&built->file, TIMES + 1);
    fk_buffer_append_u16(&built->file, TIMES + 1);
    fk_buffer_append_u32(&built->file, (uint32_t)(built->file.length - 12 - directory));
    fk_buffer_append_u32(&built->file, (uint32_t)directory);
    fk_buffer_append_u16(&built->file, 0);
    free(payload);
}

/* In a child, which the system ends when it takes too long. */
static void survive_a_repeated_record(bool right) {
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        const struct rlimit seconds = {MOST_SECONDS, MOST_SECONDS};
        archive built = {0};
        setrlimit(RLIMIT_CPU, &seconds);
        repeat_a_record(&built, right);
        salvage(built.file.bytes, built.file.length);
        archive_finish(&built);
        _exit(0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
}

static void test_a_record_told_often_is_looked_for_a_few_times(void **state) {
    (void)state;
    survive_a_repeated_record(false);
}

static void test_a_record_told_often_is_found_once(void **state) {
    (void)state;
    survive_a_repeated_record(true);
}

/* In a child: 0, or 2 when it took too much memory; the system ends one that takes too long. */
static int measure(const char *name, void (*write)(fk_buffer *pickle)) {
    const struct rlimit seconds = {MOST_SECONDS, MOST_SECONDS};
    FK_SCOPED(fk_buffer_finish) fk_buffer pickle = {0};
    checkpoint one;
    setrlimit(RLIMIT_CPU, &seconds);
    write(&pickle);
    checkpoint_make(&one, PICKLE, "archive/data.pkl", pickle.bytes, pickle.length, true);
    long before = peak_kib();
    look(&one);
    checkpoint_finish(&one);
    long taken = peak_kib() - before - (long)(pickle.length >> 10);
    if (MEASURES_MEMORY) {
        printf("promise 15: %s: a pickle of %zu bytes takes %ld KiB beyond its size\n", name,
               pickle.length, taken > 0 ? taken : 0);
        fflush(stdout);
    }
    return MEASURES_MEMORY && taken > MOST_KIB ? 2 : 0;
}

static void survive(const char *name, void (*write)(fk_buffer *pickle)) {
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        _exit(measure(name, write));
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

#define BOMB(name)                                                                                 \
    static void test_##name(void **state) {                                                        \
        (void)state;                                                                               \
        survive(#name, name);                                                                      \
    }

BOMB(nest_under_long_keys)
BOMB(refuse_under_long_keys)
BOMB(give_long_keys_often)
BOMB(compare_long_keys_often)
BOMB(repeat_one_long_key)
BOMB(double_a_tensor)
BOMB(double_nothing)
BOMB(list_tensors_under_long_keys)
BOMB(name_long_globals)
BOMB(copy_a_list_often)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nest_under_long_keys),
        cmocka_unit_test(test_refuse_under_long_keys),
        cmocka_unit_test(test_give_long_keys_often),
        cmocka_unit_test(test_compare_long_keys_often),
        cmocka_unit_test(test_repeat_one_long_key),
        cmocka_unit_test(test_double_a_tensor),
        cmocka_unit_test(test_double_nothing),
        cmocka_unit_test(test_list_tensors_under_long_keys),
        cmocka_unit_test(test_name_long_globals),
        cmocka_unit_test(test_copy_a_list_often),
        cmocka_unit_test(test_a_record_told_often_is_looked_for_a_few_times),
        cmocka_unit_test(test_a_record_told_often_is_found_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
