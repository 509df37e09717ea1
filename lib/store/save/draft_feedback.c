#include "store/save/draft_feedback.h"

#include "base/limits.h"
#include "store/manifest/feedback.h"
#include "store/names/layout.h"
#include "store/save/draft.h"

fk_code fk_feedback_prepare(const fk_value *feedback, fk_values *values, fk_buffer *buffer,
                            fk_value **ret_read, fk_error *err) {
    fk_code code = feedback != NULL ? fk_feedback_check(feedback, NULL, err)
                                    : fk_error_set(err, FK_E_USAGE, "there is no feedback");
    if (code == FK_OK) {
        code = fk_feedback_write(feedback, buffer, err);
    }
    if (code == FK_OK && buffer->length > FK_LIMIT_JSON_BYTES) {
        code = fk_error_set(err, FK_E_LIMIT, "feedback takes %zu bytes, the limit is %llu",
                            buffer->length, (unsigned long long)FK_LIMIT_JSON_BYTES);
        fk_error_hint(err, "keep long histories elsewhere");
    }
    /* Keys given twice, or a nesting too deep, would make a file that nobody can read. */
    if (code == FK_OK) {
        code = fk_feedback_read((const char *)buffer->bytes, buffer->length, values, ret_read, err);
    }
    if (code != FK_OK) {
        fk_error_path(err, FK_FEEDBACK_FILE);
    }
    return code;
}

fk_code fk_draft_set_feedback(fk_draft *draft, const fk_value *feedback, fk_error *err) {
    FK_SCOPED(fk_buffer_finish) fk_buffer text = {0};
    fk_value *read = NULL;
    fk_code code = fk_draft_check_open(draft, draft->has_feedback, "feedback", err);
    if (code == FK_OK) {
        code = fk_feedback_prepare(feedback, draft->values, &text, &read, err);
    }
    if (code != FK_OK) {
        return code;
    }
    fk_value *metrics = fk_feedback_metrics(read, draft->values);
    if (metrics == NULL) {
        return fk_error_no_memory(err);
    }
    code = fk_draft_write_file(draft, FK_FEEDBACK_FILE, NULL, text.bytes, text.length, err);
    if (code == FK_OK) {
        const fk_value *schema = fk_value_get(read, "feedback_schema");
        draft->metrics = metrics;
        draft->feedback_schema =
            schema != NULL ? fk_value_as_text(schema, NULL) : FK_FEEDBACK_SCHEMA;
        draft->has_feedback = true;
    }
    return code;
}
