/* Messages that stand beside the name of a file. */
#ifndef FK_STORE_WORDING_H
#define FK_STORE_WORDING_H

enum { FK_WORDING_BYTES = 1024 };

/* Copies the message of an error about `path`. Where it starts with the path, as in "'path' ..."
 * and "cannot read 'path' ...", that becomes "it"; so does "'path' of run 'id'". Without a path
 * (NULL) it stays as it is. */
void fk_wording_say_it(const char *message, const char *path, char into[FK_WORDING_BYTES]);

#endif
