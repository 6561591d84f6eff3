#!/bin/sh
# Serves DOCUMENT_ROOT; --settings prints what it would use, --healthy says whether there is something to serve.
set -eu
case "${1:-}" in
--settings) echo "$(id -un) serves $(pwd) on port $PORT: $(cat "$DOCUMENT_ROOT/index.html")" ;;
--healthy) test -r "$DOCUMENT_ROOT/index.html" ;;
*) exec mini_httpd -D -p "$PORT" -d "$DOCUMENT_ROOT" ;;
esac
