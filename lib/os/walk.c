#include "os/walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "os/directory.h"
#include "os/file.h"
#include "os/kernel.h"
#include "os/retry.h"

/* A directory that the walk is in. */
typedef struct walk_level {
    char *name;
    fk_names names;
    size_t next; /* the first of `names` still to do */
    dev_t device;
    ino_t inode;
} walk_level;

typedef struct walk_state {
    const fk_walk *walk;
    int parent; /* of the tree; borrowed */
    int fd;     /* the deepest level's directory */
    dev_t device;
    walk_level *levels;
    size_t depth;
    size_t capacity;
    fk_code code; /* of the first error */
    fk_error *err;
} walk_state;

static void level_finish(walk_level *level) {
    free(level->name);
    fk_names_finish(&level->names);
}

static void state_finish(walk_state *state) {
    while (state->depth > 0) {
        level_finish(&state->levels[--state->depth]);
    }
    free(state->levels);
    fk_file_closep(&state->fd);
}

/* The path from the tree's parent to `name` in the deepest level, cut where it does not fit. */
static void write_path(const walk_state *state, const char *name, char *into, size_t capacity) {
    size_t used = 0;
    for (size_t i = 0; i < state->depth; i++) {
        used += fk_text_copy(into + used, capacity - used, state->levels[i].name);
        used += fk_text_copy(into + used, capacity - used, "/");
    }
    fk_text_copy(into + used, capacity - used, name);
}

/* Keeps the first error; ENOENT is none: somebody else was faster. */
static void report(walk_state *state, int system_errno, const char *name) {
    if (state->code == FK_OK && system_errno != ENOENT) {
        char path[4096];
        write_path(state, name, path, sizeof path);
        state->code = fk_file_error(state->err, system_errno, state->walk->verb, path);
    }
}

static int current(const walk_state *state) {
    return state->depth == 0 ? state->parent : state->fd;
}

static int open_child(int directory, const char *name) {
    int fd;
    fk_retry retry = {0};
    do {
        fd = fk_kernel_current->openat_beneath(directory, name,
                                               O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    } while (fd < 0 && fk_retry_is_due(&retry));
    return fd;
}

static bool grow(walk_state *state) {
    if (state->depth < state->capacity) {
        return true;
    }
    size_t capacity = state->capacity == 0 ? 16 : state->capacity * 2;
    walk_level *levels = reallocarray(state->levels, capacity, sizeof *levels);
    if (levels == NULL) {
        return false;
    }
    state->levels = levels;
    state->capacity = capacity;
    return true;
}

/* Reads the directory `fd` into a level. Gives 0 or an errno. */
static int level_init(walk_level *level, const walk_state *state, int fd, const char *name) {
    struct stat status;
    if (fk_kernel_current->fstat(fd, &status) != 0) {
        return errno;
    }
    if (state->depth > 0 && status.st_dev != state->device) {
        return EXDEV; /* something is mounted here */
    }
    level->device = status.st_dev;
    level->inode = status.st_ino;
    level->name = strdup(name);
    if (level->name == NULL) {
        return ENOMEM;
    }
    fk_error cause;
    if (fk_directory_list(fd, name, &level->names, &cause) != FK_OK) {
        return cause.code == FK_E_NO_MEMORY ? ENOMEM : cause.system_errno;
    }
    return 0;
}

/* Goes down into the directory `name` of the deepest level; 0 or an errno. */
static int enter(walk_state *state, const char *name) {
    FK_SCOPED(fk_file_closep) int fd = open_child(current(state), name);
    if (fd < 0) {
        return errno;
    }
    walk_level deeper = {0};
    int failure = grow(state) ? level_init(&deeper, state, fd, name) : ENOMEM;
    if (failure != 0) {
        level_finish(&deeper);
        return failure;
    }
    if (state->depth == 0) {
        state->device = deeper.device;
    }
    state->levels[state->depth++] = deeper;
    fk_file_closep(&state->fd);
    state->fd = fk_file_take(&fd);
    return 0;
}

/* Opens the directory above the deepest level and makes sure that it is the one we came from:
 * somebody may have moved the tree meanwhile. */
static int open_above(const walk_state *state) {
    const walk_level *above = &state->levels[state->depth - 2];
    FK_SCOPED(fk_file_closep)
    int fd = fk_kernel_current->openat(state->fd, "..",
                                       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    struct stat status;
    if (fd < 0 || fk_kernel_current->fstat(fd, &status) != 0) {
        return -1;
    }
    if (status.st_dev != above->device || status.st_ino != above->inode) {
        errno = EXDEV;
        return -1;
    }
    return fk_file_take(&fd);
}

/* Goes up from the deepest level and leaves it behind. False when there is no way up. */
static bool ascend(walk_state *state) {
    int above = -1;
    if (state->depth > 1) {
        above = open_above(state);
        if (above < 0) {
            report(state, errno, ".");
            return false;
        }
    }
    fk_file_closep(&state->fd);
    state->fd = above;
    walk_level done = state->levels[--state->depth];
    if (state->walk->leave != NULL) {
        int failure = state->walk->leave(state->walk->user, current(state), done.name);
        if (failure != 0) {
            report(state, failure, done.name);
        }
    }
    level_finish(&done);
    return true;
}

static void step(walk_state *state, const char *name, unsigned char type) {
    int failure = EISDIR;
    if (type != DT_DIR) {
        failure = state->walk->visit(state->walk->user, state->fd, name);
    }
    if (failure == EISDIR) {
        failure = enter(state, name);
    }
    if (failure != 0) {
        report(state, failure, name);
    }
}

fk_code fk_walk_tree(const fk_walk *walk, int parent, const char *name, fk_error *err) {
    FK_SCOPED(state_finish)
    walk_state state = {.walk = walk, .parent = parent, .fd = -1, .err = err};
    int failure = enter(&state, name);
    if (failure != 0) {
        report(&state, failure, name);
    }
    bool going = true;
    while (going && state.depth > 0) {
        walk_level *deepest = &state.levels[state.depth - 1];
        if (deepest->next < deepest->names.count) {
            size_t i = deepest->next++;
            step(&state, deepest->names.names[i], deepest->names.types[i]);
        } else {
            going = ascend(&state);
        }
    }
    return state.code;
}
