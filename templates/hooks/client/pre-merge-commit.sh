if [ -x "$kept" ]; then "$kept" "$@" || exit; fi
run hook pre-commit
