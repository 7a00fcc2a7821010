#!/bin/sh
# Build GenPulse out of the checkout that this script lies in, into FOLDER/venv, as the image has it. The Dockerfile
# calls it step by step; without an engine: deploy/image/build.sh all FOLDER
#
#   dependencies FOLDER           what GenPulse depends on, by the hashes of requirements.lock beside this script
#   package FOLDER                GenPulse and its client, of this checkout
#   stamp FOLDER [OPTION…]        the tag that is checked out; options are those of `genpulse flow stamp`
#   all FOLDER [OPTION…]          the three in this order
#
# PYTHON names the interpreter that runs it later (python3).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
step=${1:?dependencies, package, stamp or all}
folder=${2:?the folder to build into}
shift 2
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
venv=$folder/venv
tools=$folder/tools  # what builds: it stays behind, only venv goes into the image

install() {
    "$tools/bin/python" -m pip --python "$venv/bin/python" install --quiet --disable-pip-version-check "$@"
}

dependencies() {
    "${PYTHON:-python3}" -m venv "$tools"
    "$tools/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$here/build.lock"
    "${PYTHON:-python3}" -m venv --without-pip "$venv"
    install --require-hashes --no-deps --only-binary :all: -r "$here/requirements.lock"
}

package() {
    wheels=$(mktemp -d)
    "$tools/bin/python" "$root/packages/build.py" "$wheels"
    install --no-deps --no-index "$wheels"/*.whl
    rm -r "$wheels"
    "$tools/bin/python" -m pip --python "$venv/bin/python" --disable-pip-version-check check
}

stamp() {
    cd "$root"
    "$venv/bin/genpulse" flow stamp --into "$venv" "$@"
}

case $step in
    dependencies) dependencies ;;
    package) package ;;
    stamp) stamp "$@" ;;
    all) dependencies; package; stamp "$@" ;;
    *) echo "There is no step $step." >&2; exit 2 ;;
esac
