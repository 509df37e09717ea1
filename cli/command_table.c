/* All commands and their options, in the order of the help. */
#include "command.h"
#include "commands.h"

static const cli_option create_options[] = {
    {"next", "NAME", "number the font one above the highest, removed fonts counted"}, {0}};

static const cli_option save_options[] = {
    {"weights", "FILE", "checkpoint; one in version v1 is kept byte for byte"},
    {"sample", "PNG", "sample image"},
    {"glyphs", "DIR", "directory of PNG files, named after the glyphs"},
    {"feedback", "JSON", "file, or the text of an object"},
    {"personality", "FILE", "personality vector (.pt, .npy, .json) for weights that have none"},
    {"training", "JSON", "training parameters: file, or the text of an object"},
    {"architecture", "JSON", "file, or the text of an object"},
    {"started", "TIME", "when training started, as 2026-01-11T08:10:00Z"},
    {"ended", "TIME", "when training ended"},
    {"status", "STATUS", "completed (default), failed or interrupted"},
    {"parent", "RUN", "the run that this one resumed from"},
    {"max-weights-bytes", "N", "largest weights file to save (default 500000000)"},
    {0}};

static const cli_option load_options[] = {
    {"out", "DIR", "a new or empty directory"},
    {"salvage", NULL, "of a damaged run, write what is intact"},
    {0}};

static const cli_option runs_options[] = {
    {"limit", "N", "at most N runs"},
    {"after", "RUN", "only runs behind this one (with --reverse: before it)"},
    {"reverse", NULL, "newest first"},
    {0}};

static const cli_option migrate_options[] = {
    {"personality", "FILE", "personality vector (.pt, .npy, .json); without it there is none"},
    {0}};

static const cli_option regenerate_options[] = {
    {"command", "CMD", "draws an image: run once for each glyph that is missing or damaged"},
    {"sample", NULL, "the command draws the sample, too, instead of a contact sheet"},
    {0}};

static const cli_option personality_options[] = {
    {"format", "FORMAT", "json (default), csv, npy or pt"},
    {"o", "FILE", "write here; the suffix tells the format"},
    {0}};

const cli_command cli_commands[] = {
    {"init", "[DIR]", "make a store", NULL, 0, 1, NULL, cli_cmd_init},
    {"create", "FONT | --next NAME", "make a font",
     "A font id is {number}-{personality-name}, as in 1-fruity: digits, then lower-case words\n"
     "and digits, joined by hyphens.\n",
     0, 1, create_options, cli_cmd_create},
    {"save", "FONT --weights FILE ...", "save a run from files, and print its id",
     "A completed run needs --weights, --sample, --glyphs and --feedback; with --status failed\n"
     "or interrupted all are optional. The run appears whole or not at all.\n",
     1, 1, save_options, cli_cmd_save},
    {"load", "FONT [RUN] --out DIR", "copy a run's files, each verified",
     "Only files that verify are written: damaged weights or a damaged run.json are an error, a\n"
     "damaged image or feedback is left out, and named; then the exit status is 1.\n"
     "With --salvage, damaged weights are written as a new checkpoint without the tensors that\n"
     "were lost, which are named, and without run.json; the exit status is 1.\n",
     1, 2, load_options, cli_cmd_load},
    {"fonts", "", "list fonts", NULL, 0, 0, NULL, cli_cmd_fonts},
    {"runs", "FONT", "list the runs of a font", NULL, 1, 1, runs_options, cli_cmd_runs},
    {"show", "FONT [RUN]", "show one run", NULL, 1, 2, NULL, cli_cmd_show},
    {"inspect", "FILE | FONT [RUN]", "list the tensors of a checkpoint, executing nothing",
     "An argument that is no font id, or names a file, is a file.\n", 1, 2, NULL, cli_cmd_inspect},
    {"personality", "FONT [RUN]", "export the personality vector, exactly", NULL, 1, 2,
     personality_options, cli_cmd_personality},
    {"verify", "[FONT [RUN]]", "check every byte; exit 1 when anything is wrong", NULL, 0, 2, NULL,
     cli_cmd_verify},
    {"status", "", "health of the store", NULL, 0, 0, NULL, cli_cmd_status},
    {"recover", "", "remove what killed processes left behind", NULL, 0, 0, NULL, cli_cmd_recover},
    {"adopt", "FONT", "give runs made by hand or by older programs a manifest",
     "Their files are checked and digested; weights.pt becomes weights. A run with a damaged\n"
     "file is left as it was, and named; then the exit status is 1.\n",
     1, 1, NULL, cli_cmd_adopt},
    {"migrate", "FONT [RUN]", "write weights of version v0 anew as v1",
     "The new weights are compared with the old ones, tensor by tensor, before they take their\n"
     "place; the generation before stays in the trash. Without RUN, all runs of the font.\n",
     1, 2, migrate_options, cli_cmd_migrate},
    {"regenerate", "FONT RUN", "make images anew that are missing or damaged",
     "sample.png becomes a contact sheet of the glyphs. Glyphs are drawn by CMD, a program\n"
     "of yours, in whose words stand for\n\n"
     "  {out}                  the PNG file to write\n"
     "  {label}                the glyph; empty for the sample\n"
     "  {weights}              a verified copy of the weights, for torch.load\n"
     "  {personality}          the personality vector, for numpy.load\n"
     "  {run}                  a directory with verified copies of all files of the run\n"
     "  {font_id}, {run_id}\n\n"
     "as in  --command 'python3 draw.py {weights} --label={label} --out={out}'\n\n"
     "CMD is split into words as a shell does, and run without one; each {name} is replaced\n"
     "within its word. Write {{ and }} for braces. When it fails, nothing is changed. What\n"
     "cannot be made anew (feedback.json, weights) is named; then the exit status is 1.\n",
     2, 2, regenerate_options, cli_cmd_regenerate},
    {"rm", "FONT [RUN]", "move a run, or a whole font, to the trash", NULL, 1, 2, NULL, cli_cmd_rm},
    {"trash", "", "list what is in the trash, with what purging would free", NULL, 0, 0, NULL,
     cli_cmd_trash},
    {"restore", "TRASH", "bring back what is in the trash",
     "TRASH is the id that 'fontkeep trash' lists. A generation of a run that is there becomes\n"
     "its newest; the one that was there goes to the trash.\n",
     1, 1, NULL, cli_cmd_restore},
    {"purge", "[TRASH]", "remove what is in the trash for good", NULL, 0, 1, NULL, cli_cmd_purge},
    {"selftest", "[DIR]", "is this disk fit? kill saves on it, and see",
     "Tests the disk of DIR (default: the store, else the working directory): what its file\n"
     "system can do, and whether runs stay whole when a process is killed at any moment. Works in\n"
     "a hidden directory, and removes it. Exit status 1: the disk is not fit.\n",
     0, 1, NULL, cli_cmd_selftest},
    {0}};
