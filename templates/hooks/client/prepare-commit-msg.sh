if [ -x "$kept" ]; then "$kept" "$@" || exit; fi
# git revert and git cherry-pick ask pre-commit nothing; other commits were judged there.
[ -f "$(git rev-parse --git-dir)/CHERRY_PICK_HEAD" ] ||
    grep -q '^This reverts commit ' "$1" || exit 0
run hook prepare-commit-msg "$@"
