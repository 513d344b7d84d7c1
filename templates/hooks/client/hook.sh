#!/bin/sh
# gitmodel hook 1: @HOOK@
# Written by  gitmodel hooks install;  gitmodel hooks uninstall  takes it away.
# A hook that was here before is kept in @HOOK@.before-gitmodel, and runs first.
python=@PYTHON@
package=@PACKAGE@
start='import sys; sys.path.append(sys.argv.pop(1))
from gitmodel.cli.main import main; main()'
kept="${0%/*}/@HOOK@.before-gitmodel"

run() {
    if [ -x "$python" ] && [ -f "$package/__main__.py" ]; then
        # -P: nothing that lies in the registry may be imported.
        "$python" -P -c "$start" "${package%/*}" "$@"
    elif command -v gitmodel >/dev/null; then
        gitmodel "$@"
    else
        echo "gitmodel is not installed any more, so nothing can be checked." >&2
        echo "  -> install gitmodel, then  gitmodel hooks install" >&2
        echo "  -> git's own --no-verify goes on without the check" >&2
        return 1
    fi
}

@BODY@
