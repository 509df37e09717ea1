#include "checkpoint/torch_read.h"

#include "checkpoint/legacy_file.h"
#include "checkpoint/legacy_read.h"
#include "checkpoint/pickle_read.h"
#include "checkpoint/torch_archive.h"
#include "checkpoint/torch_format.h"

static fk_code fail_record(fk_error *err, const fk_zip_entry *entry, const char *what) {
    fk_error_set(err, FK_E_CORRUPT, "the record '%s' %s", entry->name, what);
    fk_error_offset(err, entry->offset);
    fk_error_hint(err, "restore the file from a copy");
    return FK_E_CORRUPT;
}

static fk_code check_crcs(const fk_torch_archive *archive, fk_error *err) {
    for (size_t i = 0; i < fk_zip_count(archive->zip); i++) {
        const fk_zip_entry *entry = fk_zip_at(archive->zip, i);
        bool computed;
        if (!fk_zip_check(archive->zip, entry, &computed)) {
            return fail_record(err, entry, "is damaged: its CRC-32 is not the one recorded");
        }
    }
    return FK_OK;
}

static fk_code check_all_used(const fk_torch_archive *archive, fk_error *err) {
    for (size_t i = 0; i < fk_zip_count(archive->zip); i++) {
        const fk_zip_entry *entry = fk_zip_at(archive->zip, i);
        if (fk_torch_is_storage(entry) && !archive->records[i].used) {
            return fail_record(err, entry, "belongs to no tensor");
        }
    }
    return FK_OK;
}

bool fk_torch_has_crcs(const uint8_t *bytes, size_t length) {
    return fk_zip_recognise(bytes, length);
}

static fk_code read_zip(uint8_t *bytes, size_t length, unsigned flags, const fk_zip_peek *peek,
                        fk_values *values, fk_value **ret_top, fk_error *err) {
    FK_SCOPED(fk_torch_archive_finish) fk_torch_archive archive;
    fk_code code = fk_torch_archive_init(&archive, bytes, length, peek, values, err);
    if (code == FK_OK && (flags & FK_READ_CHECK_CRC) != 0) {
        code = check_crcs(&archive, err);
    }
    if (code != FK_OK) {
        return code;
    }
    const fk_pickle_host host = {.storage = fk_torch_archive_storage, .user = &archive};
    const fk_zip_entry *pickle = archive.pickle;
    fk_value *top = NULL;
    code = fk_pickle_read(bytes + pickle->offset, (size_t)pickle->bytes, pickle->offset, &host,
                          values, &top, NULL, err);
    if (code == FK_OK) {
        code = check_all_used(&archive, err);
    }
    if (code == FK_OK) {
        *ret_top = top;
    }
    return code;
}

bool fk_torch_recognise(const uint8_t *bytes, size_t length) {
    return fk_zip_recognise(bytes, length) || fk_legacy_recognise(bytes, length);
}

fk_code fk_torch_read_mapped(uint8_t *bytes, size_t length, unsigned flags, const fk_zip_peek *peek,
                             fk_values *values, fk_value **ret_top, fk_error *err) {
    if (fk_zip_recognise(bytes, length)) {
        return read_zip(bytes, length, flags, peek, values, ret_top, err);
    }
    if (fk_legacy_recognise(bytes, length)) {
        return fk_legacy_read(bytes, length, values, ret_top, err);
    }
    return fk_torch_format_refuse(bytes, length, err);
}

fk_code fk_torch_read(uint8_t *bytes, size_t length, unsigned flags, fk_values *values,
                      fk_value **ret_top, fk_error *err) {
    return fk_torch_read_mapped(bytes, length, flags, NULL, values, ret_top, err);
}
