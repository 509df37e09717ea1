/* Results as JSON documents. Memory that runs out here ends in abort(): the command has done its
 * work by then, and there is nothing to be undone. */
#ifndef FK_CLI_JSON_OUTPUT_H
#define FK_CLI_JSON_OUTPUT_H

#include <fontkeep/fontkeep.h>
#include <stdio.h>

/* Sets a member of an object; appends to an array. */
void cli_json_put(fk_values *values, fk_value *object, const char *key, fk_value *item);
void cli_json_append(fk_value *array, fk_value *item);

/* A string, or null. Bytes that are no UTF-8 become U+FFFD: paths may hold any. */
fk_value *cli_json_text(fk_values *values, const char *text);
/* A number, as far as JSON's integers go. */
fk_value *cli_json_number(fk_values *values, uint64_t number);
/* A copy of a value of a manifest, or null. */
fk_value *cli_json_copy(fk_values *values, const fk_value *value);
/* "2026-01-11T08:30:00.000000Z", or null for FK_NO_TIME. */
fk_value *cli_json_time(fk_values *values, int64_t time_us);
fk_value *cli_json_shape(fk_values *values, const int64_t *shape, size_t rank);

/* The objects of the command's documents: a problem, their list, a run. */
fk_value *cli_json_problem(fk_values *values, const fk_problem *problem);
fk_value *cli_json_problems(fk_values *values, const fk_problem *problems, size_t count);
fk_value *cli_json_run(fk_values *values, const fk_run_info *info);
/* {"dtype", "shape"}, or null. */
fk_value *cli_json_personality(fk_values *values, const fk_run_info *info);

/* Prints a value. */
void cli_json_write(FILE *stream, const fk_value *value);
/* Prints a document and a newline. */
void cli_json_print(FILE *stream, const fk_value *document);

#endif
