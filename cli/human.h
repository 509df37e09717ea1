/* Results for people: sizes, ages, colours. */
#ifndef FK_CLI_HUMAN_H
#define FK_CLI_HUMAN_H

#include <fontkeep/fontkeep.h>
#include <stdbool.h>
#include <stdio.h>

enum { CLI_HUMAN_BYTES = 64 };

/* "1.2 MB", "345 B": decimal units, as disks are sold. */
const char *cli_human_size(uint64_t bytes, char into[CLI_HUMAN_BYTES]);
/* "3 days ago", "just now", "in 2 hours". */
const char *cli_human_age(int64_t time_us, char into[CLI_HUMAN_BYTES]);
/* "20 min", "1.5 s". */
const char *cli_human_duration(int64_t duration_us, char into[CLI_HUMAN_BYTES]);
/* "2026-01-11 08:30:00 UTC". */
const char *cli_human_time(int64_t time_us, char into[CLI_HUMAN_BYTES]);
/* {"loss": 0.03, "epochs": 4} as "loss 0.03, epochs 4", cut at `capacity`; "-" for nothing. */
const char *cli_human_dict(const fk_value *dict, char *into, size_t capacity);

/* Escape sequences on a terminal, nothing elsewhere (and nothing with NO_COLOR set). */
typedef enum cli_colour { CLI_PLAIN, CLI_BOLD, CLI_DIM, CLI_RED, CLI_GREEN, CLI_YELLOW } cli_colour;
/* Columns of a terminal that a text takes. */
int cli_human_width(const char *text);
/* Prints `text`, padded to `width` columns (negative: to the right edge). */
void cli_human_print(FILE *stream, cli_colour colour, int width, const char *text);
cli_colour cli_human_health_colour(fk_health health);

#endif
