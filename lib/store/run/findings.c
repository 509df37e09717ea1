#include "store/run/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "store/run/wording.h"
#include "value/values.h"

void fk_findings_init(fk_findings *findings, fk_values *values) {
    *findings = (fk_findings){.values = values, .limit = FK_LIMIT_PROBLEMS, .health = FK_COMPLETE};
}

static const char *copy_text(fk_findings *findings, const char *text) {
    if (text == NULL) {
        return NULL;
    }
    size_t bytes = strlen(text) + 1;
    char *copy = fk_values_allocate(findings->values, bytes);
    if (copy == NULL) {
        findings->failed = true;
        return NULL;
    }
    return memcpy(copy, text, bytes);
}

static bool make_room(fk_findings *findings) {
    if (findings->count < findings->capacity) {
        return true;
    }
    /* the old array stays in the arena: lists are short */
    size_t capacity = findings->capacity == 0 ? 4 : 2 * findings->capacity;
    fk_problem *problems = fk_values_allocate(findings->values, capacity * sizeof *problems);
    if (problems == NULL) {
        findings->failed = true;
        return false;
    }
    if (findings->count > 0) {
        memcpy(problems, findings->problems, findings->count * sizeof *problems);
    }
    findings->problems = problems;
    findings->capacity = capacity;
    return true;
}

static void add(fk_findings *findings, fk_health health, const fk_problem *problem,
                const char *message) {
    findings->health = health < findings->health ? health : findings->health;
    if (findings->count >= findings->limit || !make_room(findings)) {
        return;
    }
    fk_problem *added = &findings->problems[findings->count++];
    *added = *problem;
    added->path = copy_text(findings, problem->path);
    added->tensor = copy_text(findings, problem->tensor);
    bool last = findings->count == findings->limit;
    added->message = copy_text(findings, last ? "there are more problems than are kept" : message);
}

void fk_findings_add(fk_findings *findings, fk_health health, const fk_problem *problem,
                     const char *format, ...) {
    char message[FK_WORDING_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    add(findings, health, problem, message);
}

void fk_findings_add_error(fk_findings *findings, fk_health health, const fk_problem *problem,
                           const fk_error *error) {
    fk_problem added = *problem;
    added.offset = error->offset;
    char said[FK_WORDING_BYTES];
    fk_wording_say_it(error->message, problem->path, said);
    add(findings, health, &added, said);
}

void fk_findings_join(fk_findings *findings, const fk_findings *more) {
    findings->failed = findings->failed || more->failed;
    findings->limit = more->limit > findings->limit ? more->limit : findings->limit;
    for (size_t i = 0; i < more->count; i++) {
        add(findings, more->health, &more->problems[i], more->problems[i].message);
    }
}
