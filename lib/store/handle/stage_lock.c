#include "store/handle/stage_lock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "base/text.h"
#include "os/file.h"
#include "os/lock.h"
#include "store/names/layout.h"
#include "value/values.h"
#include "json/json.h"

enum { RANDOM_BYTES = 16, LOCK_BYTES_MAX = 4096 };

fk_code fk_stage_lock_name(char ret_stage[FK_STAGE_NAME_BYTES],
                           char ret_lock[FK_STAGE_LOCK_NAME_BYTES], fk_error *err) {
    char random[2 * RANDOM_BYTES + 1];
    fk_code code = fk_clock_random_hex(random, RANDOM_BYTES, err);
    if (code == FK_OK) {
        snprintf(ret_stage, FK_STAGE_NAME_BYTES, FK_STAGE_PREFIX "%s", random);
        snprintf(ret_lock, FK_STAGE_LOCK_NAME_BYTES, FK_STAGE_PREFIX "%s" FK_LOCK_SUFFIX, random);
    }
    return code;
}

/* Where the disk is full the file stays empty: it tells less, and is held all the same. So what is
 * in the trash can be purged. */
static fk_code write_owner(int fd, const char *name, fk_error *err) {
    FK_SCOPED(fk_buffer_finish) fk_buffer text = {0};
    fk_identity self;
    fk_identity_current(&self);
    fk_buffer_append_text(&text, "{\"host\": ");
    fk_json_append_string(&text, self.host, strnlen(self.host, sizeof self.host));
    fk_buffer_append_text(&text, ", \"boot_id\": ");
    fk_json_append_string(&text, self.boot_id, strnlen(self.boot_id, sizeof self.boot_id));
    fk_buffer_append_format(&text, ", \"pid\": %d}\n", self.pid);
    if (text.failed) {
        return fk_error_no_memory(err);
    }
    fk_code code = fk_file_write(fd, text.bytes, text.length, name, err);
    return code == FK_E_NO_SPACE ? FK_OK : code;
}

fk_code fk_stage_lock_create(int parent, const char *name, int *ret_fd, bool *ret_lost,
                             fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    struct stat status;
    bool held = false;
    *ret_lost = false;
    fk_code code = fk_file_create(parent, name, &fd, err);
    if (code != FK_OK) {
        return code;
    }
    /* Where the file system has no locks, who sweeps goes by time alone: no reason not to save. */
    fk_lock_try(fd, name, &held, NULL);
    code = fk_file_look(parent, name, &status, ret_lost, err);
    if (code == FK_OK && held) {
        *ret_lost = true;
    }
    if (code == FK_OK && !*ret_lost) {
        code = write_owner(fd, name, err);
    }
    if (code != FK_OK) {
        fk_file_remove(parent, name, NULL);
    }
    if (code == FK_OK && !*ret_lost) {
        *ret_fd = fk_file_take(&fd);
    }
    return code;
}

/* A sweep may take a lock file in the moment before it is held; the next one has another name. */
fk_code fk_stage_lock_make(int parent, char ret_stage[FK_STAGE_NAME_BYTES],
                           char ret_lock[FK_STAGE_LOCK_NAME_BYTES], int *ret_fd, fk_error *err) {
    bool lost = true;
    fk_code code = FK_OK;
    for (unsigned attempt = 0; code == FK_OK && lost && attempt <= FK_LIMIT_RETRIES; attempt++) {
        code = fk_stage_lock_name(ret_stage, ret_lock, err);
        if (code == FK_OK) {
            code = fk_stage_lock_create(parent, ret_lock, ret_fd, &lost, err);
        }
    }
    if (code == FK_OK && lost) {
        code = fk_error_set(err, FK_E_BUSY, "somebody else took each new lock file");
        fk_error_hint(err, "end what removes files in the store, and try again");
    }
    return code;
}

static void copy_member(const fk_value *top, const char *key, char *into, size_t capacity) {
    const fk_value *member = fk_value_get(top, key);
    into[0] = '\0';
    if (member != NULL && fk_value_kind(member) == FK_KIND_STRING) {
        fk_text_copy(into, capacity, fk_value_as_text(member, NULL));
    }
}

void fk_stage_lock_read(int fd, fk_identity *ret_owner) {
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    FK_SCOPED(fk_freep) void *text = NULL;
    size_t length = 0;
    fk_value *top = NULL;
    *ret_owner = (fk_identity){.pid = 0};
    if (values == NULL ||
        fk_file_read_whole(fd, LOCK_BYTES_MAX, "lock", &text, &length, NULL) != FK_OK ||
        fk_json_read(text, length, values, &top, NULL) != FK_OK) {
        return;
    }
    copy_member(top, "host", ret_owner->host, sizeof ret_owner->host);
    copy_member(top, "boot_id", ret_owner->boot_id, sizeof ret_owner->boot_id);
    const fk_value *pid = fk_value_get(top, "pid");
    if (pid != NULL && fk_value_kind(pid) == FK_KIND_INT && fk_value_as_int(pid) > 0 &&
        fk_value_as_int(pid) <= INT32_MAX) {
        ret_owner->pid = (int)fk_value_as_int(pid);
    }
}
