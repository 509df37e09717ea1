/* A command line with placeholders, such as
 *     python3 draw.py --weights {weights} --label={label} --out {out}
 * It is split into words once, as a shell does ('...', "...", \), and no shell ever sees it; then
 * each {placeholder} is replaced within its word. So a value never becomes two words, a quote or a
 * command. {{ and }} are braces, and what is no lower-case name in braces stays as it is. */
#ifndef FK_CLI_RENDER_COMMAND_H
#define FK_CLI_RENDER_COMMAND_H

#include "command.h"

typedef enum cli_placeholder {
    CLI_PLACE_OUT = 0,     /* the PNG file to write */
    CLI_PLACE_LABEL,       /* of the glyph; empty: the sample */
    CLI_PLACE_WEIGHTS,     /* a verified copy */
    CLI_PLACE_PERSONALITY, /* the vector, as .npy */
    CLI_PLACE_RUN,         /* a directory: verified copies of the run's files */
    CLI_PLACE_FONT_ID,
    CLI_PLACE_RUN_ID,
    CLI_PLACE_COUNT,
} cli_placeholder;

typedef struct cli_render_command {
    char **words; /* [count], from malloc, as they were given */
    size_t count;
    bool uses[CLI_PLACE_COUNT];
} cli_render_command;

/* FK_E_USAGE: an open quote, an unknown placeholder, no {out}, nothing. */
fk_code cli_render_command_parse(cli_context *context, const char *text,
                                 cli_render_command *ret_command);
/* Frees; zeroed memory is fine. */
void cli_render_command_finish(cli_render_command *command);

/* The words with their placeholders replaced, a NULL behind them; cli_render_words_free frees it.
 */
char **cli_render_command_fill(const cli_render_command *command,
                               const char *const values[CLI_PLACE_COUNT]);
void cli_render_words_free(char **words);

#endif
