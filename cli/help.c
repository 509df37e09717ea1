#include "help.h"

#include <stdio.h>
#include <string.h>

enum { NAME_COLUMNS = 22 };

static void print_option(const cli_option *option) {
    char left[64];
    snprintf(left, sizeof left, "%s%s%s%s", option->name[1] == '\0' ? "-" : "--", option->name,
             option->argument == NULL ? "" : " ", option->argument == NULL ? "" : option->argument);
    printf("  %-*s %s\n", NAME_COLUMNS, left, option->help);
}

static void print_global_options(void) {
    static const cli_option options[] = {
        {"store", "DIR", "the store; default $FONTKEEP_STORE, else ./networks"},
        {"json", NULL, "one JSON document instead of text"},
        {"quiet", NULL, "no warnings, no progress"},
        {"help", NULL, "this help; behind a command, its own"},
        {"version", NULL, "print the version"}};
    puts("\nGlobal options:");
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        print_option(&options[i]);
    }
}

static void print_overview(void) {
    puts("Usage: fontkeep [--store DIR] [--json] [--quiet] COMMAND ...\n");
    puts("Keeps trained personality fonts: every run whole, verified, and never executed.\n");
    puts("Commands:");
    for (const cli_command *command = cli_commands; command->name != NULL; command++) {
        printf("  %-*s %s\n", NAME_COLUMNS, command->name, command->summary);
    }
    print_global_options();
    puts("\nRUN is a run id, its ':'-free twin, an unambiguous prefix, or 'latest'.");
    puts("Exit status: 0 good; 1 damage found; 2 usage; 3 not found; 4 exists or invalid;\n"
         "5 corrupt or incomplete; 6 busy; 7 no space; 8 access or I/O; 9 unsupported or over a\n"
         "limit; 10 saved but maybe not durable; 130 cancelled.");
}

void cli_help_print(const cli_command *command) {
    if (command == NULL) {
        print_overview();
        return;
    }
    printf("Usage: fontkeep %s%s%s\n\n%s.\n", command->name, command->arguments[0] ? " " : "",
           command->arguments, command->summary);
    if (command->details != NULL) {
        printf("\n%s", command->details);
    }
    if (command->options != NULL) {
        puts("\nOptions:");
    }
    for (size_t i = 0; command->options != NULL && command->options[i].name != NULL; i++) {
        print_option(&command->options[i]);
    }
    print_global_options();
}
