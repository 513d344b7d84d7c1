if [ -x "$kept" ]; then "$kept" "$@" || exit; fi
grep -q '^Gitmodel-' "$1" || grep -qs '^commits:' gitmodel.yaml || exit 0
run hook commit-msg "$1"
