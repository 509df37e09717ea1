/* Walks through the states of a log, and has the oracle judge them. */
#ifndef EXPLORER_H
#define EXPLORER_H

#include "oracle.h"
#include "state.h"

typedef enum explorer_mode {
    EXPLORER_ALL,        /* every state, where anything visible is concerned */
    EXPLORER_DEVIATIONS, /* at most `many` things other than all of them there, or none */
    EXPLORER_SAMPLE,     /* `many` at random for each point, the same every time */
    EXPLORER_PREFIXES,   /* model P: everything up to the point is there */
} explorer_mode;

typedef struct explorer_plan {
    explorer_mode mode;
    unsigned many;
    unsigned hidden_one_in;   /* of the trees that differ in a stage alone, so many are judged */
    bool stop_at_first;       /* violation */
    unsigned recovery_one_in; /* of the trees that are judged, for so many the recovery's own log is
                                 walked through; 0: none */
    state_options options;
} explorer_plan;

typedef struct explorer_figures {
    double combinations; /* legal states, counted */
    size_t states;       /* looked at */
    size_t trees;        /* that differ */
    size_t judged;       /* of them: made on a disk, and held against the oracle */
    size_t violations;
    size_t returned; /* of the trees: those behind the call's return, */
    size_t lost;     /* and violations among them */
} explorer_figures;

typedef struct explorer_result {
    explorer_figures saves;      /* of the log */
    explorer_figures recoveries; /* of the logs of recoveries */
    char first[2048];            /* violation: what, where */
} explorer_result;

/* Adds to the result. */
void explorer_walk(const oplog *log, const explorer_plan *plan, const oracle *rules,
                   explorer_result *result);

#endif
