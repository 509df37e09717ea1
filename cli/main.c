/* The command `fontkeep`: parse, run, exit. Results go to stdout, everything else to stderr. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "arguments.h"
#include "fail.h"
#include "help.h"

/* Results that never reached the reader (a full disk, a closed pipe) are no success. */
static int check_output(cli_context *context, int status) {
    if (fflush(stdout) == 0 && !ferror(stdout)) {
        return status;
    }
    cli_fail_usage(context, "cannot write the result to standard output");
    context->error.code = FK_E_IO;
    cli_fail_hint(context, "check the disk or pipe behind it");
    return status == 0 ? cli_fail(context) : status;
}

int main(int count, char **arguments) {
    /* a file size limit shall be an error we can report, not our death */
    signal(SIGXFSZ, SIG_IGN);
    cli_context *context = calloc(1, sizeof *context);
    if (context == NULL) {
        return fk_code_exit_status(FK_E_NO_MEMORY);
    }
    int status = 0;
    if (cli_arguments_parse(count, arguments, context) != FK_OK) {
        status = cli_fail(context);
    } else if (context->version) {
        printf("fontkeep %s\n", fk_version());
    } else if (context->help) {
        cli_help_print(context->command);
    } else {
        status = context->command->run(context);
    }
    status = check_output(context, status);
    free(context);
    return status;
}
