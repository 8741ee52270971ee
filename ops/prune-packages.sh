#!/bin/sh
# What the image leaves out of node_modules: nothing of it is loaded by the bot or by a program beside it, whichever channel
# and setting. test/deployment.test.ts holds it.
#   sh prune-packages.sh [-print]     beside node_modules; with -print it only says what would go
set -eu
action=${1:--delete}

drop() { find node_modules -depth -regex ".*node_modules/$1" "$action"; }
PACKAGE='\(@[^/]*/\)?[^/]*'

# Packages that are only for browsers, command lines and types.
for package in @azure/msal-browser @azure/msal-common adaptivecards @opentelemetry/sdk-logs @types type-fest \
  minimatch minipass path-scurry brace-expansion balanced-match @isaacs/nonrecursive-glob-match; do
  drop "$package\(/.*\)?"
done

# Maps and types are for developers; tests, documents and examples for the packages' own.
drop '.*\.\(map\|[cm]?ts\|md\|flow\)'
drop "$PACKAGE/\(\.github\|test\|tests\|spec\|e2e\|docs\|coverage\|examples?\|bench\|benchmarks?\|vendors/chai\)\(/.*\)?"

# What npm remembers of the installation, and what zxing-wasm has beside its reader and writer.
drop '\.package-lock\.json'
drop 'zxing-wasm/dist/full\(/.*\)?'

# The same code for browsers, edges, phones and bundlers: Node takes the rest.
drop '@opentelemetry/[^/]*/build/es[^/]*\(/.*\)?'
drop "\(@azure/[^/]*\|@typespec/[^/]*\|axios\)/dist/\(browser\|react-native\|workerd\|esm\)\(/.*\)?"
