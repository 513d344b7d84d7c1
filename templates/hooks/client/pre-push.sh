# What git says can be read once, and two read it.
said=$(cat)
tell() { [ -z "$said" ] || printf '%s\n' "$said"; }
if [ -x "$kept" ]; then tell | "$kept" "$@" || exit; fi
tell | run hook pre-push "$@"
