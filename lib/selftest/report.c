#include "selftest/report.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "value/values.h"

enum { TEXT_BYTES_MAX = 2048 };

FK_DEFINE_SCOPED(fk_report, fk_report_destroy);

fk_report *fk_report_create(void) {
    FK_SCOPED(fk_report_destroyp) fk_report *report = calloc(1, sizeof *report);
    if (report == NULL) {
        return NULL;
    }
    report->values = fk_values_create();
    report->open.primitives = report->primitives;
    report->open.limits = report->limits;
    return report->values != NULL ? fk_take(report) : NULL;
}

void fk_report_destroy(fk_report *report) {
    if (report != NULL) {
        fk_values_destroy(report->values);
        free(report);
    }
}

static const char *keep(fk_report *report, const char *text) {
    size_t bytes = strlen(text) + 1;
    char *copy = fk_values_allocate(report->values, bytes);
    return copy == NULL ? NULL : memcpy(copy, text, bytes);
}

const char *fk_report_text(fk_report *report, const char *format, ...) {
    char text[TEXT_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return keep(report, text);
}

void fk_report_add_primitive(fk_report *report, const char *name, bool works, const char *instead) {
    assert(report->open.primitive_count < FK_REPORT_PRIMITIVES_MAX);
    report->primitives[report->open.primitive_count++] =
        (fk_primitive){.name = name, .works = works, .instead = works ? NULL : instead};
}

bool fk_report_has(const fk_report *report, const char *primitive) {
    for (size_t i = 0; i < report->open.primitive_count; i++) {
        if (strcmp(report->primitives[i].name, primitive) == 0) {
            return report->primitives[i].works;
        }
    }
    return false;
}

void fk_report_add_limit(fk_report *report, fk_fitness fitness, const char *text) {
    assert(report->open.limit_count < FK_REPORT_LIMITS_MAX);
    if (fitness > report->open.fitness) { /* reasons stand alone: limits are no matter then */
        report->open.fitness = fitness;
        report->open.limit_count = 0;
    }
    if (fitness == report->open.fitness) {
        report->limits[report->open.limit_count++] = text;
    }
}

fk_code fk_report_add_violation(fk_report *report, fk_error *err, const char *format, ...) {
    char text[TEXT_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (report->open.violations++ > 0) {
        return FK_OK;
    }
    report->open.first_violation = keep(report, text);
    if (report->open.first_violation == NULL) {
        return fk_error_no_memory(err);
    }
    fk_report_add_limit(report, FK_NOT_FIT, report->open.first_violation);
    return FK_OK;
}

fk_code fk_report_judge(fk_report *report, fk_error *err) {
    static const char *const heads[] = {
        [FK_FIT] = "This disk is fit for fontkeep",
        [FK_FIT_WITH_LIMITS] = "This disk is fit for fontkeep, with these limits: ",
        [FK_NOT_FIT] = "This disk is not fit for fontkeep: ",
    };
    FK_SCOPED(fk_buffer_finish) fk_buffer text = {0};
    fk_buffer_append_text(&text, heads[report->open.fitness]);
    for (size_t i = 0; i < report->open.limit_count; i++) {
        fk_buffer_append_text(&text, i == 0 ? "" : "; ");
        fk_buffer_append_text(&text, report->limits[i]);
    }
    report->open.verdict = text.failed ? NULL : keep(report, (const char *)text.bytes);
    return report->open.verdict != NULL ? FK_OK : fk_error_no_memory(err);
}
