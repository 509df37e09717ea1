# Shared by the scripts beside it. Source it from bash; it goes to the root of the source tree.
# shellcheck shell=bash

set -euo pipefail
caller_directory=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD

# Debian's own tools, whatever stands in front of them in PATH (a pyenv, a conda, a venv).
export PATH="/usr/bin:/bin:/usr/sbin:/sbin:$PATH" LC_ALL=C.UTF-8
unset PYTHONHOME PYTHONPATH VIRTUAL_ENV DESTDIR FONTKEEP_STORE CFLAGS LDFLAGS
python=/usr/bin/python3
# git answers about this tree also when root looks at a user's clone.
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=$root

fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

heading() {
    local bold='' plain=''
    if [[ -t 1 ]]; then
        bold=$'\e[1m' plain=$'\e[0m'
    fi
    printf '\n%s== %s%s\n' "$bold" "$*" "$plain"
}

# Runs a command quietly; shows its output only when it fails.
quietly() {
    local log status=0
    log=$(mktemp)
    "$@" >"$log" 2>&1 </dev/null || status=$?
    if ((status != 0)); then
        cat "$log" >&2
        printf 'failed (exit status %d): %s\n' "$status" "$*" >&2
    fi
    rm -f "$log"
    return "$status"
}

# build DIRECTORY [MESON OPTION...]: sets it up when it is new, and builds everything.
build() {
    local directory=$1
    shift
    if [[ ! -f $directory/build.ninja ]]; then
        quietly "$python" /usr/bin/meson setup "$directory" "$@" ||
            quietly "$python" /usr/bin/meson setup --wipe "$directory" "$@"
    fi
    quietly ninja -C "$directory"
}

newer_torch_version=2.13.0
newer_torch_python=$root/build/torch-$newer_torch_version/bin/python

# newer_torch [MODULE...]: $newer_torch_python has PyPI's newest supported PyTorch, what the tests
# need beside it, and these modules. False where PyPI cannot be reached.
newer_torch() {
    local venv=$root/build/torch-$newer_torch_version module
    if ! "$newer_torch_python" -c "import torch, pytest, xdist, pytest_timeout, PIL, numpy" \
        2>/dev/null; then
        printf 'fetching PyTorch %s from PyPI\n' "$newer_torch_version"
        rm -rf "$venv"
        if ! $python -m venv "$venv" || ! "$newer_torch_python" -m pip install -q --retries 2 \
            "torch==$newer_torch_version" numpy pillow pytest pytest-xdist pytest-timeout; then
            rm -rf "$venv"
            return 1
        fi
    fi
    for module in "$@"; do
        "$newer_torch_python" -c "import $module" 2>/dev/null ||
            "$newer_torch_python" -m pip install -q --retries 2 "$module" ||
            printf '%s cannot be had from PyPI; left out\n' "$module"
    done
}
