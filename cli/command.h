/* What a command of `fontkeep` is, and what it gets. One command per cmd_<verb>.c; the table of all
 * of them in command.c generates parsing, usage and help. */
#ifndef FK_CLI_COMMAND_H
#define FK_CLI_COMMAND_H

#include <fontkeep/fontkeep.h>
#include <stdbool.h>
#include <stddef.h>

enum { CLI_OPTIONS_MAX = 16, CLI_ARGUMENTS_MAX = 8 };

typedef struct cli_option {
    const char *name;     /* without the dashes; of one letter: a short option */
    const char *argument; /* "FILE", or NULL for a switch */
    const char *help;
} cli_option;

typedef struct cli_context cli_context;

typedef struct cli_command {
    const char *name;
    const char *arguments; /* "FONT [RUN]" */
    const char *summary;   /* one line */
    const char *details;   /* paragraphs for --help, or NULL */
    size_t arguments_min;
    size_t arguments_max;
    const cli_option *options; /* ends with a NULL name; NULL: none */
    int (*run)(cli_context *context);
} cli_command;

/* One call of the command, parsed. */
struct cli_context {
    const char *store_path; /* --store, or NULL */
    bool json;
    bool quiet;
    const cli_command *command; /* NULL: none was named */
    bool help;
    bool version;
    const char *arguments[CLI_ARGUMENTS_MAX];
    size_t argument_count;
    const char *options[CLI_OPTIONS_MAX]; /* values in the order of the command's options */
    fk_error error;                       /* of the library call that failed */
};

/* All commands, in the order of the help; ends with a NULL name. */
extern const cli_command cli_commands[];

/* The command of a name, or NULL. */
const cli_command *cli_command_find(const char *name);

/* The value of an option given ("" for a switch), or NULL. */
const char *cli_context_option(const cli_context *context, const char *name);

/* Argument `index`, or NULL when there are not so many. */
const char *cli_context_argument(const cli_context *context, size_t index);

/* Opens the store named by --store, the environment, or the default. */
fk_code cli_context_open(cli_context *context, bool create, fk_store **ret_store);

/* The full id of argument `index` as a run of `font_id`; "latest" when it was not given. */
fk_code cli_context_run(cli_context *context, fk_store *store, const char *font_id, size_t index,
                        fk_run_id *ret_run_id);

#endif
