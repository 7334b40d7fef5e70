# shellcheck shell=sh
# Read by ci/gate, ci/report and ci/test: finds a Python >= 3.11 and hands over to bootstrap.py, in the user's own directory.
set -eu
name=${0##*/}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
found=

# Settings for another Python must reach neither the one that is looked for nor the run.
unset PYTHONHOME PYTHONPATH VIRTUAL_ENV

# try PYTHON ARGUMENTS: becomes that Python where it is new enough.
try() {
    version=$("$1" -S -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || return 0
    case $version in
        [0-2].* | 3.[0-9] | 3.10) found="$found${found:+, }$1 is $version" ;;
        *) exec "$@" ;;
    esac
}

if [ -n "${PYTHON:-}" ]; then
    looked="PYTHON=$PYTHON"
    try "$PYTHON" -S "$here/bootstrap.py" "$name" "$@"
else
    looked="python3, python3.14 to python3.11"
    # bootstrap.py leaves the mark when .venv is complete; its Python then needs no search.
    if [ -f "$here/../.venv/.ready" ] && [ -x "$here/../.venv/bin/python" ]; then
        exec "$here/../.venv/bin/python" -S "$here/bootstrap.py" "$name" "$@"
    fi
    for python in python3 python3.14 python3.13 python3.12 python3.11; do
        try "$python" -S "$here/bootstrap.py" "$name" "$@"
    done
fi
echo "ci/$name: needs Python 3.11 or newer; found ${found:-none} (looked for $looked);" \
    "install one, or set PYTHON to its path" >&2
exit 4
