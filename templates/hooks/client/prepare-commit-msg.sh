if [ -x "$kept" ]; then "$kept" "$@" || exit; fi
# git revert asks pre-commit nothing; every other commit was judged there.
grep -q '^This reverts commit ' "$1" || exit 0
run hook prepare-commit-msg "$@"
