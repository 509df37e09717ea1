#include "arguments.h"

#include <stdio.h>
#include <string.h>

#include "fail.h"

/* What is left of the command line. */
typedef struct rest {
    char **next;         /* ends with NULL */
    bool only_arguments; /* behind "--" */
} rest;

/* An option as it stands: "--name", "--name=value" or "-o". */
typedef struct given {
    char name[64];
    const char *value; /* behind '=', or NULL */
} given;

static bool split_option(const char *text, given *ret_given) {
    const char *name = text + (text[1] == '-' ? 2 : 1);
    const char *equals = strchr(name, '=');
    size_t length = equals == NULL ? strlen(name) : (size_t)(equals - name);
    if (length >= sizeof ret_given->name) {
        return false;
    }
    memcpy(ret_given->name, name, length);
    ret_given->name[length] = '\0';
    ret_given->value = equals == NULL ? NULL : equals + 1;
    return true;
}

/* The value of an option that takes one: behind '=', or the next word. */
static fk_code take_value(const char *text, const given *option, rest *words, cli_context *context,
                          const char **ret_value) {
    if (option->value != NULL) {
        *ret_value = option->value;
        return FK_OK;
    }
    if (*words->next == NULL) {
        cli_fail_usage(context, "'%s' needs a value", text);
        cli_fail_hint(context, "give it behind '%s', or joined by '='", text);
        return FK_E_USAGE;
    }
    *ret_value = *words->next++;
    return FK_OK;
}

static fk_code parse_global(const char *text, const given *option, rest *words,
                            cli_context *context, bool *ret_known) {
    *ret_known = true;
    if (strcmp(option->name, "store") == 0) {
        return take_value(text, option, words, context, &context->store_path);
    }
    bool *toggle =
        strcmp(option->name, "json") == 0                                      ? &context->json
        : strcmp(option->name, "quiet") == 0 || strcmp(option->name, "q") == 0 ? &context->quiet
        : strcmp(option->name, "help") == 0 || strcmp(option->name, "h") == 0  ? &context->help
        : strcmp(option->name, "version") == 0                                 ? &context->version
                                                                               : NULL;
    if (toggle == NULL) {
        *ret_known = false;
        return FK_OK;
    }
    *toggle = true;
    return option->value == NULL ? FK_OK : cli_fail_usage(context, "'%s' takes no value", text);
}

static fk_code unknown_option(const char *text, const given *option, cli_context *context) {
    const char *names[CLI_OPTIONS_MAX + 4] = {"store", "json", "quiet", "help"};
    size_t count = 4;
    const cli_option *options = context->command == NULL ? NULL : context->command->options;
    for (size_t i = 0; options != NULL && options[i].name != NULL; i++) {
        names[count++] = options[i].name;
    }
    const char *nearest = fk_nearest_name(option->name, names, count);
    fk_code code = cli_fail_usage(context, "unknown option '%s'", text);
    if (nearest != NULL) {
        cli_fail_hint(context, "did you mean '%s%s'?", nearest[1] == '\0' ? "-" : "--", nearest);
    }
    return code;
}

static fk_code parse_option(const char *text, rest *words, cli_context *context) {
    given option;
    bool known = false;
    if (!split_option(text, &option)) {
        return cli_fail_usage(context, "unknown option '%s'", text);
    }
    fk_code code = parse_global(text, &option, words, context, &known);
    if (known || code != FK_OK) {
        return code;
    }
    const cli_option *options = context->command == NULL ? NULL : context->command->options;
    for (size_t i = 0; options != NULL && options[i].name != NULL; i++) {
        if (strcmp(options[i].name, option.name) != 0) {
            continue;
        }
        if (context->options[i] != NULL) {
            return cli_fail_usage(context, "'%s' is given twice", text);
        }
        if (options[i].argument != NULL) {
            return take_value(text, &option, words, context, &context->options[i]);
        }
        context->options[i] = "";
        return option.value == NULL ? FK_OK : cli_fail_usage(context, "'%s' takes no value", text);
    }
    return unknown_option(text, &option, context);
}

static fk_code parse_command(const char *word, cli_context *context) {
    context->command = cli_command_find(word);
    if (context->command != NULL) {
        return FK_OK;
    }
    const char *names[32];
    size_t count = 0;
    for (const cli_command *command = cli_commands; command->name != NULL; command++) {
        names[count++] = command->name;
    }
    const char *nearest = fk_nearest_name(word, names, count);
    fk_code code = cli_fail_usage(context, "unknown command '%s'", word);
    if (nearest != NULL) {
        cli_fail_hint(context, "did you mean '%s'?", nearest);
    } else {
        cli_fail_hint(context, "'fontkeep --help' lists the commands");
    }
    return code;
}

static fk_code parse_word(const char *word, rest *words, cli_context *context) {
    if (!words->only_arguments && strcmp(word, "--") == 0) {
        words->only_arguments = true;
        return FK_OK;
    }
    if (!words->only_arguments && word[0] == '-' && word[1] != '\0') {
        return parse_option(word, words, context);
    }
    if (context->command == NULL) {
        return parse_command(word, context);
    }
    if (context->argument_count == context->command->arguments_max) {
        return cli_fail_usage(context, "'%s' is one argument too many", word);
    }
    context->arguments[context->argument_count++] = word;
    return FK_OK;
}

fk_code cli_arguments_parse(int count, char **arguments, cli_context *context) {
    rest words = {.next = arguments + (count > 0 ? 1 : 0)};
    while (*words.next != NULL) {
        const char *word = *words.next++;
        fk_code code = parse_word(word, &words, context);
        if (code != FK_OK) {
            return code;
        }
    }
    if (context->help || context->version) {
        return FK_OK;
    }
    if (context->command == NULL) {
        fk_code code = cli_fail_usage(context, "a command is missing");
        cli_fail_hint(context, "'fontkeep --help' lists the commands");
        return code;
    }
    if (context->argument_count < context->command->arguments_min) {
        return cli_fail_usage(context, "an argument is missing: fontkeep %s %s",
                              context->command->name, context->command->arguments);
    }
    return FK_OK;
}
