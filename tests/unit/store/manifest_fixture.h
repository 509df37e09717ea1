/* A run as a manifest tells it, and its text, for the tests of manifests. */
#ifndef FK_TESTS_STORE_MANIFEST_FIXTURE_H
#define FK_TESTS_STORE_MANIFEST_FIXTURE_H

#include "store/manifest/manifest.h"
#include "value/values.h"

#define GOLDEN_SELF "ea3046097106cc0c6785eadcef08a04fb277d4f609472409b7504a12195bcf37"

/* What the sample run's manifest is, byte for byte; everything before the ending. */
extern const char golden_body[];

/* Adds a file whose digests are all of one hex digit, the next digit for the next piece; `xxh3`
 * '\0': none. */
void add_file(fk_manifest_files *files, const char *path, const char *label, uint64_t bytes,
              char sha256, char xxh3);

/* The files of the sample run, not sorted. */
void add_sample_files(fk_manifest_files *files);

/* The head of the sample run; what it points to is in `values` or static. */
fk_manifest_head sample_head(fk_values *values);

/* `body`, with `self` behind it as it must be. free() it. */
char *seal(const char *body);

/* The golden body with the first `old` replaced, sealed. free() it. */
char *seal_changed(const char *old, const char *changed);

#endif
