"""Completion in bash, where a selector is several words.

Readline breaks words at ``@``, ``:`` and ``=`` as well (``COMP_WORDBREAKS``), so click
would be asked to complete ``1.`` when the user typed ``fraud@1.``. Here the words are
taken from the line itself, and an answer leaves out what readline would not replace.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from click.shell_completion import BashComplete, add_completion_class, split_arg_string

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

#: Set by the shell script that asks; named after the program, as click wants it.
VARIABLE = "_GITMODEL_COMPLETE"

_SOURCE = """\
%(complete_func)s() {
    local IFS=$'\\n' response completion type value
    response=$(env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD \\
        COMP_TYPED="${COMP_LINE:0:$COMP_POINT}" \\
        COMP_BREAKS="$COMP_WORDBREAKS" %(complete_var)s=bash_complete $1)
    for completion in $response; do
        IFS=',' read -r type value <<< "$completion"
        case $type in
            dir) COMPREPLY=(); compopt -o dirnames ;;
            file) COMPREPLY=(); compopt -o default ;;
            plain)
                COMPREPLY+=("$value")
                [[ $value == *[@#] ]] && compopt -o nospace
                ;;
        esac
    done
    return 0
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class Bash(BashComplete):
    """Click's completion for bash, with selectors as one word."""

    source_template = _SOURCE

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the cursor, and the beginning of the one at it."""
        typed = os.environ.get("COMP_TYPED")
        if typed is None:
            return super().get_completion_args()
        words = split_arg_string(typed)[1:]
        if not words or typed[-1:].isspace():
            return words, ""
        return words[:-1], words[-1]

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """Return an answer without the beginning that readline keeps."""
        _, incomplete = self.get_completion_args()
        breaks = os.environ.get("COMP_BREAKS", "")
        # An @ belongs to the word that readline replaces; other breaks stand before it.
        starts = (incomplete.rfind(char) + (char != "@") for char in breaks)
        kept = max((0, *starts))
        return f"{item.type},{item.value[kept:]}"


def install() -> None:
    """Let click use this."""
    add_completion_class(Bash, "bash")
