#include "fake_kernel.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fake_calls.h"
#include "os/kernel.h"

enum { CALLS_MAX = 64, ORDERS_MAX = 16, FILES_MAX = 4096, RECORD_BYTES = 64 << 20 };

typedef enum order_kind { ORDER_FAIL, ORDER_FAIL_AFTER, ORDER_BEFORE } order_kind;

typedef struct fake_order {
    order_kind kind;
    const char *call;
    size_t left; /* calls until it comes true; 0: it is over */
    int system_errno;
    bool ever_after;
    void (*action)(void *user);
    void *user;
} fake_order;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct {
    const char *names[CALLS_MAX];
    size_t counts[CALLS_MAX];
    size_t calls;
    const char *failed;
    void (*before_each)(void);
    fake_order orders[ORDERS_MAX];
    size_t order_count;
    fake_file files[FILES_MAX];
    char *record;
    size_t record_length;
    size_t last_line; /* where it starts */
    size_t move_at_most;
    size_t direct_writes;
    size_t direct_refused_from;
    int64_t time_us;
    uint64_t slept_ms;
    long file_system;
    uint64_t free_bytes;
    int colon_errno;
    bool flags_refused;
    bool no_types;
    int pid;
    bool threads;
} fake;

static void fail_test(const char *what) {
    fprintf(stderr, "fake_kernel: %s\n", what);
    abort();
}

static size_t *count_of(const char *call) {
    for (size_t i = 0; i < fake.calls; i++) {
        if (strcmp(fake.names[i], call) == 0) {
            return &fake.counts[i];
        }
    }
    if (fake.calls == CALLS_MAX) {
        fail_test("too many names of calls");
    }
    fake.names[fake.calls] = call;
    return &fake.counts[fake.calls++];
}

/* "*" is any call that can fail. */
static bool is_called(const char *name, const char *call) {
    if (strcmp(name, "*") != 0) {
        return strcmp(name, call) == 0;
    }
    return strcmp(call, "clock_gettime") != 0 && strcmp(call, "getpid") != 0 &&
           strcmp(call, "nanosleep") != 0;
}

/* Counts a call down; whether the order comes true with it. */
static bool comes_true(fake_order *order, const char *call) {
    if (!is_called(order->call, call) || order->left == 0) {
        return false;
    }
    if (order->left > 1) {
        order->left--;
        return false;
    }
    order->left = order->ever_after ? 1 : 0;
    return true;
}

fake_verdict fake_call_begin(const char *call) {
    fake_verdict verdict = {0};
    struct {
        void (*action)(void *user);
        void *user;
    } due[ORDERS_MAX];
    size_t due_count = 0;
    if (fake.before_each != NULL) {
        fake.before_each();
    }
    pthread_mutex_lock(&mutex);
    ++*count_of(call);
    for (size_t i = 0; i < fake.order_count; i++) {
        fake_order *order = &fake.orders[i];
        if (!comes_true(order, call)) {
            continue;
        }
        if (order->kind == ORDER_BEFORE) {
            due[due_count].action = order->action;
            due[due_count++].user = order->user;
        } else {
            verdict.system_errno = order->system_errno;
            verdict.done_first = order->kind == ORDER_FAIL_AFTER;
            fake.failed = fake.failed != NULL ? fake.failed : call;
        }
    }
    pthread_mutex_unlock(&mutex);
    for (size_t i = 0; i < due_count; i++) {
        due[i].action(due[i].user);
    }
    return verdict;
}

fake_verdict fake_call_begin_at(const char *call, const char *path) {
    fake_verdict verdict = fake_call_begin(call);
    if (fake.colon_errno != 0 && strchr(path, ':') != NULL) {
        verdict = (fake_verdict){.system_errno = fake.colon_errno};
    }
    return verdict;
}

bool fake_call_is_done(fake_verdict verdict) {
    return verdict.system_errno == 0 || verdict.done_first;
}

long fake_call_end(fake_verdict verdict, long result) {
    if (verdict.system_errno != 0) {
        errno = verdict.system_errno;
        return -1;
    }
    return result;
}

/* Not from malloc, which a test may let fail. Pages that nothing is written to cost nothing. */
static void make_room_to_record(size_t length) {
    if (fake.record == NULL) {
        fake.record = mmap(NULL, RECORD_BYTES, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    }
    if (fake.record == MAP_FAILED || fake.record_length + length >= RECORD_BYTES) {
        fail_test("no room to record");
    }
}

static void forget_record(void) {
    if (fake.record != NULL) {
        munmap(fake.record, RECORD_BYTES);
    }
    fake.record = NULL;
    fake.record_length = 0;
    fake.last_line = 0;
}

void fake_call_record(long result, const char *format, ...) {
    int kept = errno;
    char line[3 * FAKE_NAME_BYTES];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof line) {
        fail_test("a line of the record is too long");
    }
    if (result < 0) {
        const char *name = strerrorname_np(kept);
        length += snprintf(line + length, sizeof line - (size_t)length, " (%s)",
                           name == NULL ? "?" : name);
    }
    length += snprintf(line + length, sizeof line - (size_t)length, "\n");
    pthread_mutex_lock(&mutex);
    bool again = strstr(line, "write ") != NULL && fake.record != NULL &&
                 strcmp(fake.record + fake.last_line, line) == 0;
    if (!again) {
        make_room_to_record((size_t)length);
        memcpy(fake.record + fake.record_length, line, (size_t)length + 1);
        fake.last_line = fake.record_length;
        fake.record_length += (size_t)length;
    }
    pthread_mutex_unlock(&mutex);
    errno = kept;
}

void fake_call_remember(int fd, const char *path, bool changing) {
    if (fd >= 0 && fd < FILES_MAX) {
        pthread_mutex_lock(&mutex);
        snprintf(fake.files[fd].name, FAKE_NAME_BYTES, "%s", path);
        fake.files[fd].changing = changing;
        fake.files[fd].direct = false;
        pthread_mutex_unlock(&mutex);
    }
}

void fake_call_remember_direct(int fd, bool direct) {
    if (fd >= 0 && fd < FILES_MAX) {
        pthread_mutex_lock(&mutex);
        fake.files[fd].direct = direct;
        pthread_mutex_unlock(&mutex);
    }
}

/* A copy; the name is "?" when nothing is known. */
fake_file fake_call_known(int fd) {
    fake_file found = {.name = "?"};
    if (fd >= 0 && fd < FILES_MAX) {
        pthread_mutex_lock(&mutex);
        if (fake.files[fd].name[0] != '\0') {
            found = fake.files[fd];
        }
        pthread_mutex_unlock(&mutex);
    }
    return found;
}

size_t fake_call_moved_at_once(size_t bytes) {
    return fake.move_at_most != 0 && bytes > fake.move_at_most ? fake.move_at_most : bytes;
}

bool fake_call_may_be_direct(void) {
    pthread_mutex_lock(&mutex);
    size_t nth = ++fake.direct_writes;
    pthread_mutex_unlock(&mutex);
    return fake.direct_refused_from == 0 || nth < fake.direct_refused_from;
}

int64_t fake_call_time_us(void) {
    return fake.time_us;
}

void fake_call_sleep(uint64_t time_ms) {
    pthread_mutex_lock(&mutex);
    fake.slept_ms += time_ms;
    pthread_mutex_unlock(&mutex);
}

long fake_call_file_system(void) {
    return fake.file_system;
}

uint64_t fake_call_free_bytes(void) {
    return fake.free_bytes;
}

bool fake_call_flags_refused(void) {
    return fake.flags_refused;
}

bool fake_call_tells_types(void) {
    return !fake.no_types;
}

int fake_call_pid(void) {
    return fake.pid;
}

bool fake_call_threads(void) {
    return fake.threads;
}

void fake_kernel_install(void) {
    fake_kernel_remove();
    fake.time_us = INT64_MIN;
    fake.free_bytes = UINT64_MAX;
    fk_kernel_current = &fake_kernel;
}

void fake_kernel_remove(void) {
    fk_kernel_current = &fk_kernel_linux;
    forget_record();
    memset(&fake, 0, sizeof fake);
}

int fake_kernel_setup(void **state) {
    (void)state;
    fake_kernel_install();
    return 0;
}

int fake_kernel_teardown(void **state) {
    (void)state;
    fake_kernel_remove();
    return 0;
}

size_t fake_kernel_count(const char *call) {
    pthread_mutex_lock(&mutex);
    size_t count = 0;
    for (size_t i = 0; i < fake.calls; i++) {
        if (is_called(call, fake.names[i])) {
            count += fake.counts[i];
        }
    }
    pthread_mutex_unlock(&mutex);
    return count;
}

static void give_order(fake_order order) {
    pthread_mutex_lock(&mutex);
    if (fake.order_count == ORDERS_MAX) {
        fail_test("too many orders");
    }
    fake.orders[fake.order_count++] = order;
    pthread_mutex_unlock(&mutex);
}

void fake_kernel_fail(const char *call, size_t nth, int system_errno, fake_duration duration) {
    give_order((fake_order){.kind = ORDER_FAIL,
                            .call = call,
                            .left = nth,
                            .system_errno = system_errno,
                            .ever_after = duration == FAKE_EVER_AFTER});
}

void fake_kernel_fail_after(const char *call, size_t nth, int system_errno) {
    give_order((fake_order){
        .kind = ORDER_FAIL_AFTER, .call = call, .left = nth, .system_errno = system_errno});
}

void fake_kernel_before(const char *call, size_t nth, void (*action)(void *user), void *user) {
    give_order((fake_order){
        .kind = ORDER_BEFORE, .call = call, .left = nth, .action = action, .user = user});
}

void fake_kernel_before_each(void (*action)(void)) {
    fake.before_each = action;
}

void fake_kernel_relent(void) {
    pthread_mutex_lock(&mutex);
    fake.before_each = NULL;
    fake.order_count = 0;
    pthread_mutex_unlock(&mutex);
}

const char *fake_kernel_failed(void) {
    return fake.failed;
}

void fake_kernel_move_at_most(size_t bytes) {
    fake.move_at_most = bytes;
}

const char *fake_kernel_record(void) {
    return fake.record == NULL ? "" : fake.record;
}

void fake_kernel_record_clear(void) {
    pthread_mutex_lock(&mutex);
    forget_record();
    pthread_mutex_unlock(&mutex);
}

void fake_kernel_set_time(int64_t time_us) {
    fake.time_us = time_us;
}

uint64_t fake_kernel_slept_ms(void) {
    return fake.slept_ms;
}

void fake_kernel_set_file_system(long type) {
    fake.file_system = type;
}

void fake_kernel_set_free_bytes(uint64_t bytes) {
    fake.free_bytes = bytes;
}

void fake_kernel_refuse_direct_writes(size_t nth) {
    fake.direct_refused_from = nth;
    fake.direct_writes = 0;
}

void fake_kernel_refuse_colons(int system_errno) {
    fake.colon_errno = system_errno;
}

void fake_kernel_refuse_flags(void) {
    fake.flags_refused = true;
}

void fake_kernel_tell_types(bool told) {
    fake.no_types = !told;
}

void fake_kernel_set_pid(int pid) {
    fake.pid = pid;
}

void fake_kernel_allow_threads(void) {
    fake.threads = true;
}
