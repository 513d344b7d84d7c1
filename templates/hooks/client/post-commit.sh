if [ -x "$kept" ]; then "$kept" "$@"; fi
# Only a revert that is to become a rollback leaves this note.
[ -f "$(git rev-parse --git-dir)/gitmodel/revert.json" ] || exit 0
run hook post-commit
