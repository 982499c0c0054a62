#!/bin/sh
# Pin every dependency with the hashes of all its wheels; pass --upgrade to take newer versions.
#
#   .ci/lock.sh path/to/pip-compile [--upgrade]
#
# Each list is resolved under the pins of the one before, so that a package has one version everywhere.
set -eu

compile=$1
shift
export CUSTOM_COMPILE_COMMAND="make lock"

pin() {
    out=$1
    shift
    "$compile" --quiet --generate-hashes --strip-extras --allow-unsafe \
        --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --output-file "$out" "$@" pyproject.toml
}

pin requirements.txt "$@"
pin requirements-test.txt --extra test --constraint requirements.txt "$@"
pin requirements-lint.txt --extra lint --constraint requirements-test.txt "$@"
pin requirements-pdf.txt --extra pdf --constraint requirements-test.txt "$@"
pin requirements-paper.txt --extra pdf --extra paper --constraint requirements-test.txt --constraint requirements-pdf.txt "$@"
pin requirements-browser.txt --extra browser --constraint requirements-test.txt "$@"
pin requirements-build.txt --all-build-deps --only-build-deps "$@"
