#include "render_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

static const char *const names[CLI_PLACE_COUNT] = {
    [CLI_PLACE_OUT] = "out",         [CLI_PLACE_LABEL] = "label",
    [CLI_PLACE_WEIGHTS] = "weights", [CLI_PLACE_PERSONALITY] = "personality",
    [CLI_PLACE_RUN] = "run",         [CLI_PLACE_FONT_ID] = "font_id",
    [CLI_PLACE_RUN_ID] = "run_id"};

/* ---- words -------------------------------------------------------------------------------- */

static void *must(void *memory) {
    if (memory == NULL) {
        abort();
    }
    return memory;
}

static bool is_space(char character) {
    return character == ' ' || character == '\t' || character == '\n' || character == '\r';
}

/* Whether a backslash takes the meaning from the character behind it; `quote` is the open one. */
static bool escapes(const char *at, char quote) {
    if (at[0] != '\\' || at[1] == '\0' || quote == '\'') {
        return false;
    }
    return quote == '\0' || at[1] == '"' || at[1] == '\\' || at[1] == '$' || at[1] == '`';
}

/* Reads one word to `into`, which has room for the rest of the text. NULL: a quote stays open. */
static const char *read_word(const char *at, char *into) {
    char quote = '\0';
    while (*at != '\0' && (quote != '\0' || !is_space(*at))) {
        if (escapes(at, quote)) {
            *into++ = at[1];
            at += 2;
        } else if (*at == quote) {
            quote = '\0';
            at++;
        } else if (quote == '\0' && (*at == '\'' || *at == '"')) {
            quote = *at++;
        } else {
            *into++ = *at++;
        }
    }
    *into = '\0';
    return quote == '\0' ? at : NULL;
}

static fk_code split(cli_context *context, const char *text, cli_render_command *command) {
    const char *at = text + strspn(text, " \t\r\n");
    while (*at != '\0') {
        char *word = must(malloc(strlen(at) + 1));
        command->words =
            must(realloc(command->words, (command->count + 1) * sizeof *command->words));
        command->words[command->count++] = word;
        at = read_word(at, word);
        if (at == NULL) {
            return cli_fail_usage(context, "a quote of --command is never closed: %s", text);
        }
        at += strspn(at, " \t\r\n");
    }
    return command->count > 0 ? FK_OK : cli_fail_usage(context, "--command is empty");
}

/* ---- placeholders ------------------------------------------------------------------------- */

/* One piece of a word: a placeholder, or characters that stand for themselves. */
typedef struct piece {
    int place; /* cli_placeholder; -1: none */
    bool unknown;
    const char *name; /* of an unknown one */
    size_t length;    /* of the whole piece in the word */
    char character;
} piece;

static piece next_piece(const char *at) {
    if ((at[0] == '{' && at[1] == '{') || (at[0] == '}' && at[1] == '}')) {
        return (piece){.place = -1, .length = 2, .character = at[0]};
    }
    size_t length = at[0] == '{' ? strspn(at + 1, "abcdefghijklmnopqrstuvwxyz_") : 0;
    if (length == 0 || at[length + 1] != '}') {
        return (piece){.place = -1, .length = 1, .character = at[0]};
    }
    for (int i = 0; i < CLI_PLACE_COUNT; i++) {
        if (strlen(names[i]) == length && memcmp(names[i], at + 1, length) == 0) {
            return (piece){.place = i, .length = length + 2};
        }
    }
    return (piece){.place = -1, .unknown = true, .name = at, .length = length + 2};
}

static fk_code unknown(cli_context *context, const piece *part) {
    fk_code code = cli_fail_usage(context, "--command has no placeholder '%.*s'", (int)part->length,
                                  part->name);
    cli_fail_hint(context, "use {out}, {label}, {weights}, {personality}, {run}, {font_id} or "
                           "{run_id}; write {{ and }} for braces");
    return code;
}

static fk_code find_places(cli_context *context, cli_render_command *command) {
    for (size_t i = 0; i < command->count; i++) {
        for (const char *at = command->words[i]; *at != '\0';) {
            piece part = next_piece(at);
            if (part.unknown) {
                return unknown(context, &part);
            }
            if (part.place >= 0) {
                command->uses[part.place] = true;
            }
            at += part.length;
        }
    }
    if (command->uses[CLI_PLACE_OUT]) {
        return FK_OK;
    }
    fk_code code = cli_fail_usage(context, "--command does not say where to write: {out} is "
                                           "missing");
    cli_fail_hint(context, "the command must write the image as PNG to {out}");
    return code;
}

fk_code cli_render_command_parse(cli_context *context, const char *text,
                                 cli_render_command *ret_command) {
    *ret_command = (cli_render_command){0};
    fk_code code = split(context, text, ret_command);
    return code == FK_OK ? find_places(context, ret_command) : code;
}

void cli_render_command_finish(cli_render_command *command) {
    for (size_t i = 0; i < command->count; i++) {
        free(command->words[i]);
    }
    free(command->words);
    *command = (cli_render_command){0};
}

/* ---- filling in --------------------------------------------------------------------------- */

static char *fill_word(const char *word, const char *const values[CLI_PLACE_COUNT]) {
    char *text = NULL;
    size_t length = 0;
    FILE *filled = must(open_memstream(&text, &length));
    for (const char *at = word; *at != '\0';) {
        piece part = next_piece(at);
        if (part.place >= 0) {
            fputs(values[part.place], filled);
        } else {
            fputc(part.character, filled);
        }
        at += part.length;
    }
    return fclose(filled) == 0 ? text : must(NULL);
}

char **cli_render_command_fill(const cli_render_command *command,
                               const char *const values[CLI_PLACE_COUNT]) {
    char **words = must(calloc(command->count + 1, sizeof *words));
    for (size_t i = 0; i < command->count; i++) {
        words[i] = fill_word(command->words[i], values);
    }
    return words;
}

void cli_render_words_free(char **words) {
    for (char **word = words; *word != NULL; word++) {
        free(*word);
    }
    free(words);
}
