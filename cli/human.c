#include "human.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECOND_US INT64_C(1000000)

const char *cli_human_size(uint64_t bytes, char into[CLI_HUMAN_BYTES]) {
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    double number = (double)bytes;
    size_t unit = 0;
    while (number >= 999.5 && unit + 1 < sizeof units / sizeof units[0]) {
        number /= 1000;
        unit++;
    }
    int decimals = unit > 0 && number < 99.95 ? 1 : 0;
    snprintf(into, CLI_HUMAN_BYTES, "%.*f %s", decimals, number, units[unit]);
    return into;
}

/* A span of seconds in its largest unit. */
static void span_text(int64_t seconds, char into[CLI_HUMAN_BYTES]) {
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = {{31557600, "year"}, {2629800, "month"}, {86400, "day"},
                 {3600, "hour"},     {60, "minute"},     {1, "second"}};
    size_t unit = 0;
    while (unit + 1 < sizeof units / sizeof units[0] && seconds < units[unit].seconds) {
        unit++;
    }
    int64_t count = seconds / units[unit].seconds;
    snprintf(into, CLI_HUMAN_BYTES, "%" PRId64 " %s%s", count, units[unit].name,
             count == 1 ? "" : "s");
}

const char *cli_human_age(int64_t time_us, char into[CLI_HUMAN_BYTES]) {
    int64_t age = (int64_t)time(NULL) - time_us / SECOND_US;
    char span[CLI_HUMAN_BYTES];
    span_text(age < 0 ? -age : age, span);
    if (age > -2 && age < 2) {
        snprintf(into, CLI_HUMAN_BYTES, "just now");
    } else {
        snprintf(into, CLI_HUMAN_BYTES, "%s%.40s%s", age < 0 ? "in " : "", span,
                 age < 0 ? "" : " ago");
    }
    return into;
}

const char *cli_human_duration(int64_t duration_us, char into[CLI_HUMAN_BYTES]) {
    if (duration_us < 0) {
        snprintf(into, CLI_HUMAN_BYTES, "the clock went back meanwhile");
    } else if (duration_us < 60 * SECOND_US) {
        snprintf(into, CLI_HUMAN_BYTES, "%.1f s", (double)duration_us / (double)SECOND_US);
    } else {
        int64_t minutes = duration_us / SECOND_US / 60;
        snprintf(into, CLI_HUMAN_BYTES, "%" PRId64 " h %" PRId64 " min", minutes / 60,
                 minutes % 60);
    }
    return into;
}

const char *cli_human_time(int64_t time_us, char into[CLI_HUMAN_BYTES]) {
    char text[FK_TIME_BYTES];
    if (time_us == FK_NO_TIME || !fk_time_format(time_us, text)) {
        snprintf(into, CLI_HUMAN_BYTES, "-");
        return into;
    }
    snprintf(into, CLI_HUMAN_BYTES, "%.10s %.8s UTC", text, text + 11);
    return into;
}

const char *cli_human_dict(const fk_value *dict, char *into, size_t capacity) {
    size_t used = 0;
    for (size_t i = 0; dict != NULL && i < fk_value_count(dict) && used + 4 < capacity; i++) {
        char *text = NULL;
        if (fk_json_write(fk_value_item(dict, i), &text, NULL, NULL) != FK_OK) {
            continue;
        }
        int more = snprintf(into + used, capacity - used, "%s%s %s", used == 0 ? "" : ", ",
                            fk_value_as_text(fk_value_key(dict, i), NULL), text);
        free(text);
        used += more < 0 ? 0 : (size_t)more;
    }
    if (used == 0) {
        snprintf(into, capacity, "-");
    } else if (used >= capacity) {
        memcpy(into + capacity - 4, "...", 4);
    }
    return into;
}

/* A listing asks for every cell: the terminal is asked once. */
static bool colourful(FILE *stream) {
    static FILE *asked;
    static bool answer;
    if (asked != stream) {
        const char *terminal = getenv("TERM");
        asked = stream;
        answer = isatty(fileno(stream)) && getenv("NO_COLOR") == NULL && terminal != NULL &&
                 strcmp(terminal, "dumb") != 0;
    }
    return answer;
}

/* Columns that a text takes: its characters, as far as UTF-8 tells. */
int cli_human_width(const char *text) {
    int width = 0;
    for (; *text != '\0'; text++) {
        width += ((unsigned char)*text & 0xC0) != 0x80;
    }
    return width;
}

static void pad(FILE *stream, int columns) {
    static const char spaces[] = "                                ";
    const int most = (int)sizeof spaces - 1;
    for (; columns > 0; columns -= most) {
        fwrite(spaces, 1, (size_t)(columns < most ? columns : most), stream);
    }
}

void cli_human_print(FILE *stream, cli_colour colour, int width, const char *text) {
    static const char *const starts[] = {"",         "\033[1m",  "\033[2m",
                                         "\033[31m", "\033[32m", "\033[33m"};
    bool coloured = colour != CLI_PLAIN && colourful(stream);
    int missing = width == 0 ? 0 : abs(width) - cli_human_width(text);
    pad(stream, width < 0 ? missing : 0);
    fputs(coloured ? starts[colour] : "", stream);
    fputs(text, stream);
    fputs(coloured ? "\033[0m" : "", stream);
    pad(stream, width > 0 ? missing : 0);
}

cli_colour cli_human_health_colour(fk_health health) {
    switch (health) {
    case FK_COMPLETE:
        return CLI_GREEN;
    case FK_UNVERIFIED:
    case FK_INCOMPLETE:
        return CLI_YELLOW;
    default:
        return CLI_RED;
    }
}
