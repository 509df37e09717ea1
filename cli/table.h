/* Tables for people, with aligned columns. */
#ifndef FK_CLI_TABLE_H
#define FK_CLI_TABLE_H

#include <stddef.h>
#include <stdio.h>

#include "human.h"

/* A table: rows of texts, printed with aligned columns. Texts are copied. */
typedef struct cli_table cli_table;
/* `columns` titles; one that starts with '>' is aligned to the right. */
cli_table *cli_table_create(size_t columns, const char *const *titles);
void cli_table_destroy(cli_table *table);
void cli_table_row(cli_table *table, const char *const *texts, const cli_colour *colours);
void cli_table_print(const cli_table *table, FILE *stream);

#endif
