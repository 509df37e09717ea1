/* What a file system and a kernel can do, found out by trying. */
#ifndef FK_OS_PRIMITIVE_H
#define FK_OS_PRIMITIVE_H

#include <stdbool.h>

#include "base/error.h"

typedef enum fk_primitive_kind {
    FK_PRIMITIVE_EXCLUSIVE_CREATE, /* O_EXCL and mkdir refuse a name that is taken */
    FK_PRIMITIVE_RENAME_NOREPLACE, /* RENAME_NOREPLACE of directories */
    FK_PRIMITIVE_RENAME_REFUSES,   /* plain rename does not replace a directory with files in it */
    FK_PRIMITIVE_RENAME_EXCHANGE,  /* RENAME_EXCHANGE of directories */
    FK_PRIMITIVE_FILE_SYNC,        /* fsync of files */
    FK_PRIMITIVE_DIRECTORY_SYNC,   /* fsync of directories */
    FK_PRIMITIVE_LOCKS,            /* OFD locks */
    FK_PRIMITIVE_LOCKS_EXCLUDE,    /* what is locked is so for others, in other processes, too (and
                                      where there are no locks) */
    FK_PRIMITIVE_HARD_LINKS,
    FK_PRIMITIVE_COLON_NAMES,    /* ':' in names */
    FK_PRIMITIVE_CASE_SENSITIVE, /* 'a' and 'A' are two names */
    FK_PRIMITIVE_RESERVE,        /* fallocate beyond the end of a file */
    FK_PRIMITIVE_DIRECT_IO,      /* O_DIRECT for what was open without it */
    FK_PRIMITIVE_FINE_TIMES,     /* times of files have parts of a second */
    FK_PRIMITIVE_OPENAT2,
    FK_PRIMITIVE_COUNT,
} fk_primitive_kind;

/* Tries one in the open directory `directory`, which is empty and stays full of leftovers. A
 * failure that says nothing about it (a full disk, no permission) is an error. */
fk_code fk_primitive_try(fk_primitive_kind kind, int directory, bool *ret_works, fk_error *err);

#endif
