/* Names on disk, all in one place. docs/format/store.md draws the tree. */
#ifndef FK_STORE_LAYOUT_H
#define FK_STORE_LAYOUT_H

#define FK_STORE_DIRECTORY ".fontkeep"
#define FK_STORE_FILE      ".fontkeep/store.json"
#define FK_FONT_FILE       "font.json" /* of a font: tags, notes, aliases, pins */
#define FK_RUNS_DIRECTORY  "runs"
#define FK_STAGE_PREFIX    ".stage-"
#define FK_LOCK_SUFFIX     ".lock"
#define FK_TRASH_PREFIX    ".trash-"

#define FK_MANIFEST_FILE    "run.json"
#define FK_WEIGHTS_FILE     "weights"
#define FK_SAMPLE_FILE      "sample.png"
#define FK_FEEDBACK_FILE    "feedback.json"
#define FK_GLYPHS_DIRECTORY "eval-glyphs"

#define FK_STORE_VERSION    1
#define FK_MANIFEST_VERSION 1
#define FK_WEIGHTS_VERSION  "v1"
#define FK_FEEDBACK_SCHEMA  "1.0"

#endif
