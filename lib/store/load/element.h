/* One element of a tensor, to and from text and JSON values. */
#ifndef FK_STORE_ELEMENT_H
#define FK_STORE_ELEMENT_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"
#include "fontkeep/value.h"

/* Appends the element at `from`: integers and bools (true, false) as they are; floats as the
 * shortest text that reads back as exactly this number, non-finite ones as NaN, Infinity,
 * -Infinity, in quotes when `json`; complex numbers as [real, imaginary] when `json`, else
 * real+imaginaryj. */
bool fk_element_append(fk_buffer *buffer, fk_dtype dtype, const void *from, bool json);

/* Stores a JSON value (as written above) as an element. False when it is none of that dtype;
 * floats are rounded to the nearest. */
bool fk_element_store(fk_dtype dtype, const fk_value *value, void *into);

#endif
