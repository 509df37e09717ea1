#include "fontkeep/time.h"

#include <stdio.h>
#include <string.h>

#define SECOND_US   INT64_C(1000000)
#define DAY_SECONDS INT64_C(86400)

/* Days from 1970-01-01 to a date of the proleptic Gregorian calendar; years are counted from March,
 * so that the leap day is the last of its year. */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day) {
    year -= month <= 2;
    int64_t era = year / 400; /* year is positive here */
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void date_from_days(int64_t days, int *ret_year, int *ret_month, int *ret_day) {
    days += 719468;
    int64_t era = days / 146097; /* days is positive: year 0001 or later */
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    *ret_day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    *ret_month = (int)(month_from_march + (month_from_march < 10 ? 3 : -9));
    *ret_year = (int)(year_of_era + era * 400 + (*ret_month <= 2));
}

static int64_t first_instant_us(void) {
    return days_from_date(1, 1, 1) * DAY_SECONDS * SECOND_US;
}

static bool is_within_years(int64_t time_us) {
    int64_t behind_last_us = days_from_date(10000, 1, 1) * DAY_SECONDS * SECOND_US;
    return time_us >= first_instant_us() && time_us < behind_last_us;
}

bool fk_time_format(int64_t time_us, char into[FK_TIME_BYTES]) {
    if (!is_within_years(time_us)) {
        return false;
    }
    uint64_t since_first_us = (uint64_t)(time_us - first_instant_us());
    int64_t days =
        (int64_t)(since_first_us / (uint64_t)(DAY_SECONDS * SECOND_US)) + days_from_date(1, 1, 1);
    unsigned in_day_s = (unsigned)(since_first_us / (uint64_t)SECOND_US % (uint64_t)DAY_SECONDS);
    unsigned micro = (unsigned)(since_first_us % (uint64_t)SECOND_US);
    int year;
    int month;
    int day;
    date_from_days(days, &year, &month, &day);
    snprintf(into, FK_TIME_BYTES, "%04u-%02u-%02uT%02u:%02u:%02u.%06u", (unsigned)year % 10000,
             (unsigned)month % 100, (unsigned)day % 100, in_day_s / 3600 % 24, in_day_s / 60 % 60,
             in_day_s % 60, micro);
    return true;
}

/* Exactly `count` digits at *text, which moves behind them; -1 when they are none. */
static int64_t take_digits(const char **text, size_t count) {
    int64_t number = 0;
    for (size_t i = 0; i < count; i++, (*text)++) {
        if (**text < '0' || **text > '9') {
            return -1;
        }
        number = number * 10 + (**text - '0');
    }
    return number;
}

static bool take_char(const char **text, char expected) {
    if (**text != expected) {
        return false;
    }
    (*text)++;
    return true;
}

/* "YYYY-MM-DDTHH:MM:SS"; a leap second 60 becomes the next minute's first. */
static bool take_date_time(const char **text, bool lenient, int64_t *ret_seconds) {
    static const int days_of_month[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t year = take_digits(text, 4);
    bool punctuated = take_char(text, '-');
    int64_t month = punctuated ? take_digits(text, 2) : -1;
    punctuated = punctuated && take_char(text, '-');
    int64_t day = punctuated ? take_digits(text, 2) : -1;
    punctuated = punctuated && (take_char(text, 'T') || (lenient && take_char(text, ' ')));
    int64_t hour = punctuated ? take_digits(text, 2) : -1;
    punctuated = punctuated && take_char(text, ':');
    int64_t minute = punctuated ? take_digits(text, 2) : -1;
    punctuated = punctuated && take_char(text, ':');
    int64_t second = punctuated ? take_digits(text, 2) : -1;
    bool leap_year = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_of_month[month - 1] ||
        (month == 2 && day == 29 && !leap_year) || hour < 0 || hour > 23 || minute < 0 ||
        minute > 59 || second < 0 || second > (lenient ? 60 : 59)) {
        return false;
    }
    *ret_seconds =
        days_from_date(year, month, day) * DAY_SECONDS + hour * 3600 + minute * 60 + second;
    return true;
}

/* Fraction digits: six, or, when lenient, none to six behind an optional point. */
static bool take_fraction(const char **text, bool lenient, int64_t *ret_us) {
    *ret_us = 0;
    if (!take_char(text, '.')) {
        return lenient;
    }
    size_t digits = strspn(*text, "0123456789");
    if (digits == 0 || digits > 6 || (!lenient && digits != 6)) {
        return false;
    }
    *ret_us = take_digits(text, digits);
    for (; digits < 6; digits++) {
        *ret_us *= 10;
    }
    return true;
}

/* "+01:00" or "-0530", in seconds. */
static bool take_zone(const char **text, int64_t *ret_seconds) {
    int64_t sign = **text == '-' ? -1 : 1;
    (*text)++;
    int64_t hours = take_digits(text, 2);
    (void)take_char(text, ':');
    int64_t minutes = hours < 0 ? -1 : take_digits(text, 2);
    if (hours > 23 || minutes < 0 || minutes > 59) {
        return false;
    }
    *ret_seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

bool fk_time_parse(const char *text, bool lenient, int64_t *ret_time_us) {
    int64_t seconds;
    int64_t fraction_us;
    int64_t zone_s = 0;
    if (!take_date_time(&text, lenient, &seconds) || !take_fraction(&text, lenient, &fraction_us)) {
        return false;
    }
    if (lenient && (*text == '+' || *text == '-')) {
        if (!take_zone(&text, &zone_s)) {
            return false;
        }
    } else {
        (void)take_char(&text, 'Z');
    }
    if (*text != '\0') {
        return false;
    }
    int64_t time_us = (seconds - zone_s) * SECOND_US + fraction_us;
    if (!is_within_years(time_us)) { /* a zone or a leap second led out */
        return false;
    }
    *ret_time_us = time_us;
    return true;
}
