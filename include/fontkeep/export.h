/* Which symbols libfontkeep exports: the declarations marked FK_PUBLIC, and no others. */
#ifndef FONTKEEP_EXPORT_H
#define FONTKEEP_EXPORT_H

#ifdef __cplusplus
#define FK_BEGIN_DECLS extern "C" {
#define FK_END_DECLS   }
#else
#define FK_BEGIN_DECLS
#define FK_END_DECLS
#endif

#define FK_PUBLIC __attribute__((visibility("default")))

#endif
