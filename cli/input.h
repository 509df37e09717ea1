/* What a user names on the command line, read. */
#ifndef FK_CLI_INPUT_H
#define FK_CLI_INPUT_H

#include "command.h"

/* The object of a JSON option: its text when it starts with '{', else the file it names.
 * `*ret_value` is untouched when the option was not given. */
fk_code cli_input_object(cli_context *context, const char *option, fk_values *values,
                         fk_value **ret_value);

/* Names in the error what the user gave for a JSON option: the file, or for its text the option. */
void cli_input_blame(cli_context *context, const char *option);

/* A file whole, with a NUL behind it; the caller frees it. */
fk_code cli_input_file(cli_context *context, const char *path, char **ret_bytes,
                       size_t *ret_length);

/* A whole number not negative, of an option; untouched when it was not given. */
fk_code cli_input_count(cli_context *context, const char *option, size_t *ret_count);

/* An instant, of an option; untouched when it was not given. */
fk_code cli_input_time(cli_context *context, const char *option, int64_t *ret_time_us);

#endif
