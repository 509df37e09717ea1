/* A private directory in which the user's program draws images of one run: verified copies go in,
 * PNG files come out. */
#ifndef FK_CLI_RENDER_ROOM_H
#define FK_CLI_RENDER_ROOM_H

#include "command.h"
#include "render_command.h"

enum { CLI_ROOM_PATH_BYTES = 4096 };

typedef struct cli_render_room {
    cli_context *context;
    fk_store *store;
    const char *font_id;
    const fk_run_id *run_id;
    const cli_render_command *command;
    char path[CLI_ROOM_PATH_BYTES]; /* "": nothing was to be drawn yet */
    char run[CLI_ROOM_PATH_BYTES];
    char weights[CLI_ROOM_PATH_BYTES];
    char personality[CLI_ROOM_PATH_BYTES];
    char *image; /* what was drawn last */
} cli_render_room;

/* The fk_renderer, with a cli_render_room as `user`: the directory is made by the first image, in
 * $TMPDIR or /tmp, and nobody else may look into it. */
fk_code cli_render_room_draw(const fk_rendering *wanted, fk_image *ret_image, void *user,
                             fk_error *err);
/* Removes the directory with all that the program left in it. */
void cli_render_room_finish(cli_render_room *room);

#endif
