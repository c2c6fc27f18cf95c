#!/bin/sh
# A plug-in in shell: files of one line, "SERIAL PART pass" or "SERIAL PART fail".
#
# It is not persistent: it is started for each request, answers it and ends. In the sandbox a plug-in is one process, so
# this one uses nothing but what the shell does itself: no pipe, no $(…), no sed. One that needs other programs has to be
# enabled with --trust processes. A shell has no JSON either: it takes out of the request what it needs, and refuses what
# it could not write into its answer.

read -r request || exit 0

# Sets "member" to the text of a member of the request. There is a space after the colon, or none.
member() {
  member=${request#*"\"$1\":"}
  [ "$member" != "$request" ] || member=
  member=${member# }
  member=${member#\"}
  member=${member%%\"*}
}

member request
case $member in
describe)
  printf '%s' '{"answer": "described", "protocol": 1, "persistent": false, "converters": [{"name": "pass-fail", '
  printf '%s\n' '"title": "Pass or fail (example)", "version": "1.0.0", "patterns": ["*.pf"]}]}'
  ;;
convert)
  member path
  read -r serial part result rest <"$member" || true
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
