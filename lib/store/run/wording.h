/* Messages that stand beside the name of a file. */
#ifndef FK_STORE_WORDING_H
#define FK_STORE_WORDING_H

enum { FK_WORDING_BYTES = 1024 };

/* Copies a message in which "it" stands for the first "'path'", or "'path' of run 'id'". */
void fk_wording_say_it(const char *message, const char *path, char into[FK_WORDING_BYTES]);

#endif
