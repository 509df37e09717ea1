/* Text: bounded copies, UTF-8, spelling distance, numbers. Nothing here depends on the locale. */
#ifndef FK_BASE_TEXT_H
#define FK_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copies `text` into `into` of `capacity` bytes (at least 1), cut between two characters where it
 * does not fit; gives the bytes copied, the NUL not counted. */
size_t fk_text_copy(char *into, size_t capacity, const char *text);

/* Whether both texts are there and the same. */
bool fk_text_is(const char *text, const char *other);

/* Whether `text` starts or ends with another. */
bool fk_text_starts_with(const char *text, const char *start);
bool fk_text_ends_with(const char *text, const char *end);

/* Decodes the character at `text` (`length` bytes are there, at least 1). Gives the bytes it takes,
 * or 0 when they are no UTF-8 (overlong forms, surrogates and values above U+10FFFF included). */
size_t fk_text_decode_utf8(const char *text, size_t length, uint32_t *ret_character);

/* Encodes a character (at most U+10FFFF, no surrogate); gives the bytes written, 1 to 4. */
size_t fk_text_encode_utf8(uint32_t character, char into[4]);

/* Edits (insert, delete, replace, swap neighbours) from one text to the other; texts of more than
 * 127 bytes are compared by their first 127. */
size_t fk_text_distance(const char *one, const char *other);

enum { FK_TEXT_DOUBLE_BYTES = 32 };

/* The shortest decimal text that reads back as the same finite double; always with a '.' or an
 * exponent. */
void fk_text_from_double(double number, char into[FK_TEXT_DOUBLE_BYTES]);

/* Reads a decimal number ("1", "-2.5e3") of `length` bytes whole. False when it is none or beyond a
 * double. */
bool fk_text_to_double(const char *text, size_t length, double *ret_number);

/* Lower-case hex of `count` bytes; `into` holds 2 * count + 1 bytes. */
void fk_text_from_bytes(const void *bytes, size_t count, char *into);

#endif
