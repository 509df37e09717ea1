#include "table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct cli_table {
    size_t columns;
    size_t rows;
    size_t capacity;
    char **texts;        /* [rows * columns]; the first row are the titles */
    cli_colour *colours; /* likewise */
};

cli_table *cli_table_create(size_t columns, const char *const *titles) {
    cli_table *table = calloc(1, sizeof *table);
    if (table == NULL) {
        abort();
    }
    table->columns = columns;
    cli_table_row(table, titles, NULL);
    return table;
}

void cli_table_destroy(cli_table *table) {
    for (size_t i = 0; table != NULL && i < table->rows * table->columns; i++) {
        free(table->texts[i]);
    }
    if (table != NULL) {
        free(table->texts);
        free(table->colours);
    }
    free(table);
}

void cli_table_row(cli_table *table, const char *const *texts, const cli_colour *colours) {
    if (table->rows == table->capacity) {
        table->capacity = table->capacity == 0 ? 16 : table->capacity * 2;
        size_t cells = table->capacity * table->columns;
        table->texts = realloc(table->texts, cells * sizeof *table->texts);
        table->colours = realloc(table->colours, cells * sizeof *table->colours);
        if (table->texts == NULL || table->colours == NULL) {
            abort();
        }
    }
    for (size_t i = 0; i < table->columns; i++) {
        size_t cell = table->rows * table->columns + i;
        table->texts[cell] = strdup(texts[i]);
        table->colours[cell] = colours == NULL ? CLI_PLAIN : colours[i];
        if (table->texts[cell] == NULL) {
            abort();
        }
    }
    table->rows++;
}

/* Each column's width in columns of the terminal; the caller frees it. */
static int *column_widths(const cli_table *table) {
    int *widths = calloc(table->columns, sizeof *widths);
    if (widths == NULL) {
        abort();
    }
    for (size_t cell = 0; cell < table->rows * table->columns; cell++) {
        bool mark = cell < table->columns && table->texts[cell][0] == '>';
        int needed = cli_human_width(table->texts[cell]) - mark;
        int *width = &widths[cell % table->columns];
        *width = needed > *width ? needed : *width;
    }
    return widths;
}

static void print_row(const cli_table *table, size_t row, const int *widths, FILE *stream) {
    for (size_t column = 0; column < table->columns; column++) {
        size_t cell = row * table->columns + column;
        bool right = table->texts[column][0] == '>';
        bool last = column + 1 == table->columns;
        const char *text = table->texts[cell] + (row == 0 && right ? 1 : 0);
        int width = right ? -widths[column] : last ? 0 : widths[column];
        cli_human_print(stream, row == 0 ? CLI_DIM : table->colours[cell], width, text);
        fputs(last ? "\n" : "  ", stream);
    }
}

void cli_table_print(const cli_table *table, FILE *stream) {
    int *widths = column_widths(table);
    for (size_t row = 0; row < table->rows; row++) {
        print_row(table, row, widths, stream);
    }
    free(widths);
}
