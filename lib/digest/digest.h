/* Digests: CRC-32 (ISA-L), XXH3-128 (xxHash), SHA-256 (OpenSSL), and the stream that feeds them.
 *
 * A file is digested in pieces of 16 MiB, in order; an empty file has one piece. SHA-256 for every
 * file, XXH3-128 for files of 64 KiB and more. Hex digits are lower case; XXH3 is spelled as
 * `xxhsum -H2` prints it. */
#ifndef FK_DIGEST_DIGEST_H
#define FK_DIGEST_DIGEST_H

#include "digest/crc32.h"
#include "digest/digest_stream.h"
#include "digest/file_digests.h"
#include "digest/piece_digest.h"
#include "digest/sha256.h"
#include "digest/xxh3.h"

#endif
