#!/bin/sh
# A plug-in in shell: files of one line, "SERIAL PART pass" or "SERIAL PART fail".
#
# It is not persistent: it is started for each request, answers it and ends. A shell has no JSON, so it takes out of the
# request what it needs, and refuses what it could not write into its answer.

read -r request || exit 0

# The text of a member of the request. Values that need more than letters, digits and / . _ - have none here.
member() {
  printf '%s\n' "$request" | sed -n 's/.*"'"$1"'": *"\([A-Za-z0-9/._-]*\)".*/\1/p'
}

case $(member request) in
describe)
  echo '{"answer": "described", "protocol": 1, "persistent": false, "converters": [{"name": "pass-fail",
    "title": "Pass or fail (example)", "version": "1.0.0", "patterns": ["*.pf"]}]}' | tr '\n' ' '
  echo
  ;;
convert)
  read -r serial part result rest <"$(member path)" || true
  case "$serial$part" in
  '' | *[!A-Za-z0-9._-]*)
    echo '{"answer": "failed", "error": "expected SERIAL PART pass|fail, of letters, digits, . _ -", "line": 1}'
    exit 0
    ;;
  esac
  case $result in
  pass) letter=P ;;
  fail) letter=F ;;
  *)
    echo '{"answer": "failed", "error": "the third word must be pass or fail", "line": 1}'
    exit 0
    ;;
  esac
  [ -z "$rest" ] || echo '{"answer": "warning", "text": "there is more on the first line, which was not used"}'
  printf '{"answer": "report", "report": {"type": "T", "sn": "%s", "pn": "%s", "rev": "A", "result": "%s", ' \
    "$serial" "$part" "$letter"
  printf '"processCode": 10, "root": {"stepType": "SequenceCall", "group": "M", "name": "Main", "status": "%s", ' \
    "$letter"
  echo '"steps": []}}}'
  echo '{"answer": "done", "after": "move"}'
  ;;
*)
  echo '{"answer": "error", "text": "this program only describes itself and converts"}'
  ;;
esac
