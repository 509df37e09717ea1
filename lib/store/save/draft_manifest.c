#include "store/save/draft_manifest.h"

#include "base/limits.h"
#include "os/file.h"
#include "store/names/layout.h"

static fk_code compose_manifest(fk_draft *draft, const fk_run_id *id, int64_t now_us,
                                fk_buffer *text, fk_error *err) {
    fk_manifest_head head = {
        .font_id = draft->where.font_id.text,
        .run_id = id->text,
        .status = draft->status,
        .started_at_us = draft->started_at_us,
        .ended_at_us = draft->ended_at_us != 0 ? draft->ended_at_us : now_us,
        .training = draft->training,
        .metrics = draft->metrics,
        .weights_version = draft->weights_version,
        .feedback_schema = draft->feedback_schema,
        .parent_run_id = draft->has_parent ? draft->parent_run_id.text : NULL,
        .personality_vector = draft->personality_vector,
        .generation = draft->generation,
        .others = draft->others,
    };
    fk_code code = fk_manifest_write(&head, &draft->files, text, err);
    if (code == FK_OK && text->length > FK_LIMIT_MANIFEST_BYTES) {
        code = fk_error_set(err, FK_E_LIMIT, "the manifest takes %zu bytes, the limit is %llu",
                            text->length, (unsigned long long)FK_LIMIT_MANIFEST_BYTES);
        fk_error_hint(err, "save fewer glyphs or smaller training parameters");
    }
    return code;
}

fk_code fk_draft_write_manifest(fk_draft *draft, const fk_run_id *id, int64_t now_us,
                                fk_error *err) {
    FK_SCOPED(fk_buffer_finish) fk_buffer text = {0};
    fk_file_digests unused = {0};
    fk_code code = compose_manifest(draft, id, now_us, &text, err);
    if (code == FK_OK) {
        code =
            fk_stage_write(&draft->stage, FK_MANIFEST_FILE, text.bytes, text.length, &unused, err);
    }
    fk_file_digests_finish(&unused);
    return code;
}

fk_code fk_draft_replace_manifest(fk_draft *draft, const fk_run_id *id, int64_t now_us,
                                  fk_error *err) {
    fk_code code = fk_file_remove(draft->stage.directory, FK_MANIFEST_FILE, err);
    return code == FK_OK ? fk_draft_write_manifest(draft, id, now_us, err) : code;
}
