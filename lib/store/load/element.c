#include "store/load/element.h"

#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

/* Floats of at most 16 bits:  sign | exponent | mantissa.  `specials`: how the top of the range is
 * used. */
typedef enum fk_small_specials {
    SPECIAL_IEEE,     /* highest exponent: infinities and NaN */
    SPECIAL_ONE_NAN,  /* "fn": no infinity, only all ones is NaN */
    SPECIAL_NEG_ZERO, /* "fnuz": no infinity, the code of -0 is NaN */
} fk_small_specials;

typedef struct fk_small_float {
    fk_dtype dtype;
    int exponent_bits;
    int mantissa_bits;
    int bias;
    fk_small_specials specials;
} fk_small_float;

static const fk_small_float small_floats[] = {
    {FK_FLOAT16, 5, 10, 15, SPECIAL_IEEE},
    {FK_BFLOAT16, 8, 7, 127, SPECIAL_IEEE},
    {FK_FLOAT8_E4M3FN, 4, 3, 7, SPECIAL_ONE_NAN},
    {FK_FLOAT8_E5M2, 5, 2, 15, SPECIAL_IEEE},
    {FK_FLOAT8_E4M3FNUZ, 4, 3, 8, SPECIAL_NEG_ZERO},
    {FK_FLOAT8_E5M2FNUZ, 5, 2, 16, SPECIAL_NEG_ZERO},
};

static const fk_small_float *find_small(fk_dtype dtype) {
    for (size_t i = 0; i < sizeof small_floats / sizeof small_floats[0]; i++) {
        if (small_floats[i].dtype == dtype) {
            return &small_floats[i];
        }
    }
    return NULL;
}

static double small_to_double(const fk_small_float *format, uint32_t code) {
    uint32_t sign_bit = 1u << (format->exponent_bits + format->mantissa_bits);
    uint32_t exponent_max = (1u << format->exponent_bits) - 1;
    uint32_t mantissa_max = (1u << format->mantissa_bits) - 1;
    uint32_t exponent = (code >> format->mantissa_bits) & exponent_max;
    uint32_t mantissa = code & mantissa_max;
    double sign = (code & sign_bit) != 0 ? -1.0 : 1.0;
    if (format->specials == SPECIAL_NEG_ZERO && code == sign_bit) {
        return NAN;
    }
    if (format->specials == SPECIAL_ONE_NAN && exponent == exponent_max &&
        mantissa == mantissa_max) {
        return NAN;
    }
    if (format->specials == SPECIAL_IEEE && exponent == exponent_max) {
        return mantissa == 0 ? sign * (double)INFINITY : (double)NAN;
    }
    int scale = (exponent == 0 ? 1 : (int)exponent) - format->bias - format->mantissa_bits;
    uint32_t whole = exponent == 0 ? mantissa : mantissa + mantissa_max + 1;
    return sign * ldexp(whole, scale);
}

/* The code of a special number: the first that has it. */
static bool find_special(const fk_small_float *format, double number, uint32_t *ret_code) {
    uint32_t codes = 1u << (1 + format->exponent_bits + format->mantissa_bits);
    for (uint32_t code = 0; code < codes; code++) {
        double candidate = small_to_double(format, code);
        if (isnan(number) ? isnan(candidate) : candidate == number) {
            *ret_code = code;
            return true;
        }
    }
    return false;
}

/* Nearest, ties to even: codes of numbers not negative grow with the number. */
static bool small_from_double(const fk_small_float *format, double number, uint32_t *ret_code) {
    if (!isfinite(number)) {
        return find_special(format, number, ret_code);
    }
    uint32_t sign_bit = 1u << (format->exponent_bits + format->mantissa_bits);
    uint32_t low = 0;
    uint32_t high = sign_bit - 1;
    double size = fabs(number);
    while (!isfinite(small_to_double(format, high))) {
        high--;
    }
    if (size > small_to_double(format, high)) {
        return false;
    }
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (small_to_double(format, middle) <= size) {
            low = middle;
        } else {
            high = middle;
        }
    }
    double below = size - small_to_double(format, low);
    double above = small_to_double(format, high) - size;
    uint32_t code = below < above || (below == above && low % 2 == 0) ? low : high;
    bool keeps_sign = signbit(number) && !(format->specials == SPECIAL_NEG_ZERO && code == 0);
    *ret_code = keeps_sign ? code | sign_bit : code;
    return true;
}

static uint32_t load_small(const fk_small_float *format, const void *from) {
    uint16_t wide = 0;
    memcpy(&wide, from, fk_dtype_bytes(format->dtype));
    return wide;
}

static bool append_double(fk_buffer *buffer, double number, bool json) {
    const char *quote = json ? "\"" : "";
    char text[FK_TEXT_DOUBLE_BYTES];
    if (isnan(number)) {
        return fk_buffer_append_format(buffer, "%sNaN%s", quote, quote);
    }
    if (isinf(number)) {
        return fk_buffer_append_format(buffer, "%s%sInfinity%s", quote, number < 0 ? "-" : "",
                                       quote);
    }
    fk_text_from_double(number, text);
    return fk_buffer_append_text(buffer, text);
}

static bool append_complex(fk_buffer *buffer, double real, double imaginary, bool json) {
    fk_buffer_append_text(buffer, json ? "[" : "");
    append_double(buffer, real, json);
    fk_buffer_append_text(buffer, json ? ", " : signbit(imaginary) && !isnan(imaginary) ? "" : "+");
    append_double(buffer, imaginary, json);
    return fk_buffer_append_text(buffer, json ? "]" : "j");
}

/* The two halves of a complex number as doubles. */
static void load_complex(fk_dtype dtype, const void *from, double *ret_real,
                         double *ret_imaginary) {
    if (dtype == FK_COMPLEX128) {
        memcpy(ret_real, from, sizeof *ret_real);
        memcpy(ret_imaginary, (const uint8_t *)from + sizeof *ret_real, sizeof *ret_imaginary);
        return;
    }
    if (dtype == FK_COMPLEX64) {
        float parts[2];
        memcpy(parts, from, sizeof parts);
        *ret_real = (double)parts[0];
        *ret_imaginary = (double)parts[1];
        return;
    }
    const fk_small_float *half = find_small(FK_FLOAT16);
    *ret_real = small_to_double(half, load_small(half, from));
    *ret_imaginary = small_to_double(half, load_small(half, (const uint8_t *)from + 2));
}

static double load_float(fk_dtype dtype, const void *from) {
    if (dtype == FK_FLOAT64) {
        double number;
        memcpy(&number, from, sizeof number);
        return number;
    }
    if (dtype == FK_FLOAT32) {
        float number;
        memcpy(&number, from, sizeof number);
        return (double)number;
    }
    if (dtype == FK_FLOAT8_E8M0FNU) {
        uint8_t exponent = *(const uint8_t *)from;
        return exponent == 255 ? (double)NAN : ldexp(1.0, exponent - 127);
    }
    const fk_small_float *format = find_small(dtype);
    return small_to_double(format, load_small(format, from));
}

static int64_t load_signed(fk_dtype dtype, const void *from) {
    int8_t i8;
    int16_t i16;
    int32_t i32;
    int64_t i64;
    switch (dtype) {
    case FK_INT8:
        memcpy(&i8, from, sizeof i8);
        return i8;
    case FK_INT16:
        memcpy(&i16, from, sizeof i16);
        return i16;
    case FK_INT32:
        memcpy(&i32, from, sizeof i32);
        return i32;
    default:
        memcpy(&i64, from, sizeof i64);
        return i64;
    }
}

/* Native order is little endian: the low bytes come first. */
static uint64_t load_unsigned(fk_dtype dtype, const void *from) {
    uint64_t number = 0;
    memcpy(&number, from, fk_dtype_bytes(dtype));
    return number;
}

bool fk_element_append(fk_buffer *buffer, fk_dtype dtype, const void *from, bool json) {
    double real = 0;
    double imaginary = 0;
    switch (dtype) {
    case FK_BOOL:
        return fk_buffer_append_text(buffer, *(const uint8_t *)from != 0 ? "true" : "false");
    case FK_INT8:
    case FK_INT16:
    case FK_INT32:
    case FK_INT64:
        return fk_buffer_append_format(buffer, "%" PRId64, load_signed(dtype, from));
    case FK_UINT8:
    case FK_UINT16:
    case FK_UINT32:
    case FK_UINT64:
        return fk_buffer_append_format(buffer, "%" PRIu64, load_unsigned(dtype, from));
    case FK_COMPLEX32:
    case FK_COMPLEX64:
    case FK_COMPLEX128:
        load_complex(dtype, from, &real, &imaginary);
        return append_complex(buffer, real, imaginary, json);
    default:
        return append_double(buffer, load_float(dtype, from), json);
    }
}

/* ---- from JSON */

static bool number_of(const fk_value *value, double *ret_number) {
    fk_kind kind = fk_value_kind(value);
    if (kind == FK_KIND_INT || kind == FK_KIND_FLOAT) {
        *ret_number = fk_value_as_float(value);
        return true;
    }
    if (kind != FK_KIND_STRING) {
        return false;
    }
    const char *text = fk_value_as_text(value, NULL);
    bool negative = text[0] == '-';
    if (strcmp(text, "NaN") == 0) {
        *ret_number = (double)NAN;
        return true;
    }
    *ret_number = negative ? -(double)INFINITY : (double)INFINITY;
    return strcmp(text + negative, "Infinity") == 0;
}

static bool store_float(fk_dtype dtype, double number, void *into) {
    if (dtype == FK_FLOAT64) {
        memcpy(into, &number, sizeof number);
        return true;
    }
    if (dtype == FK_FLOAT32) {
        float narrow = (float)number;
        memcpy(into, &narrow, sizeof narrow);
        return isfinite(narrow) || !isfinite(number);
    }
    if (dtype == FK_FLOAT8_E8M0FNU) {
        int exponent = 0;
        bool power = isfinite(number) && frexp(number, &exponent) == 0.5;
        uint8_t code = power ? (uint8_t)(exponent - 1 + 127) : 255;
        *(uint8_t *)into = code;
        return isnan(number) || (power && exponent >= -126 && exponent <= 128);
    }
    const fk_small_float *format = find_small(dtype);
    uint32_t code = 0;
    if (!small_from_double(format, number, &code)) {
        return false;
    }
    memcpy(into, &code, fk_dtype_bytes(dtype));
    return true;
}

static fk_dtype half_of(fk_dtype dtype) {
    return dtype == FK_COMPLEX128 ? FK_FLOAT64 : dtype == FK_COMPLEX64 ? FK_FLOAT32 : FK_FLOAT16;
}

static bool store_complex(fk_dtype dtype, const fk_value *value, void *into) {
    fk_dtype half = half_of(dtype);
    double parts[2];
    if (fk_value_kind(value) != FK_KIND_LIST || fk_value_count(value) != 2 ||
        !number_of(fk_value_item(value, 0), &parts[0]) ||
        !number_of(fk_value_item(value, 1), &parts[1])) {
        return false;
    }
    return store_float(half, parts[0], into) &&
           store_float(half, parts[1], (uint8_t *)into + fk_dtype_bytes(half));
}

static bool store_integer(fk_dtype dtype, const fk_value *value, void *into) {
    if (fk_value_kind(value) != FK_KIND_INT) {
        return false;
    }
    int64_t number = fk_value_as_int(value);
    size_t bits = 8 * fk_dtype_bytes(dtype);
    bool is_signed = dtype == FK_INT8 || dtype == FK_INT16 || dtype == FK_INT32;
    int64_t high = bits == 64 ? INT64_MAX : (INT64_C(1) << (bits - (is_signed ? 1 : 0))) - 1;
    int64_t low = dtype == FK_INT64 ? INT64_MIN : is_signed ? -high - 1 : 0;
    memcpy(into, &number, fk_dtype_bytes(dtype));
    return number >= low && number <= high;
}

bool fk_element_store(fk_dtype dtype, const fk_value *value, void *into) {
    double number = 0;
    switch (dtype) {
    case FK_BOOL:
        if (fk_value_kind(value) != FK_KIND_BOOL) {
            return false;
        }
        *(uint8_t *)into = fk_value_as_bool(value);
        return true;
    case FK_INT8:
    case FK_INT16:
    case FK_INT32:
    case FK_INT64:
    case FK_UINT8:
    case FK_UINT16:
    case FK_UINT32:
    case FK_UINT64:
        return store_integer(dtype, value, into);
    case FK_COMPLEX32:
    case FK_COMPLEX64:
    case FK_COMPLEX128:
        return store_complex(dtype, value, into);
    default:
        return number_of(value, &number) && store_float(dtype, number, into);
    }
}
