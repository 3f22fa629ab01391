"""The scripts of `anna completion`, one function a shell."""

from collections.abc import Callable, Iterable

from sim.cli.syntax import OptionSyntax, Syntax
from sim.cli.values import ANY, Kind

HEAD = "# Completion of anna in {shell}: made by `anna completion {shell}`; make it again after an update.\n"


def _quoted(text: str) -> str:
    """A word between single quotes, for bash and zsh."""
    return "'" + text.replace("'", "'\\''") + "'"


def _lines(lines: Iterable[str], indent: int) -> str:
    return "".join(f"{' ' * indent}{line}\n" for line in lines)


# --- bash ------------------------------------------------------------------------------------------------------------
# Nothing newer than bash 3.2, which macOS has. Offer come on lines of their own, so that file names may hold blanks.
_BASH = r"""
_anna_add() { local line; while IFS= read -r line; do COMPREPLY+=("$line"); done; }

_anna_offer() {  # words, suffixes of files, "folders" or nothing
    local suffix
    [[ $1 ]] && _anna_add < <(compgen -W "$1" -- "$current")
    [[ $2$3 ]] && compopt -o filenames 2>/dev/null
    if [[ $2 == any ]]; then
        _anna_add < <(compgen -f -- "$current")
    elif [[ $2$3 ]]; then
        for suffix in $2; do _anna_add < <(compgen -f -X "!*$suffix" -- "$current"); done
        _anna_add < <(compgen -d -- "$current")
    fi
    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
    return 0
}

_anna() {
    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} position=0 at
    COMPREPLY=()
    # An equals sign is a word of its own here: --data=mnist is three.
    if [[ $current == = ]]; then current=; elif [[ $before == = ]]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi
    if ((COMP_CWORD == 1)); then _anna_offer "@COMMANDS@"; return; fi
    case "${COMP_WORDS[1]} $before" in
@VALUES@    esac
    if [[ $current == -* ]]; then
        case ${COMP_WORDS[1]} in
@OPTIONS@        esac
        return
    fi
    [[ ${COMP_WORDS[COMP_CWORD-1]} == = || ${COMP_WORDS[COMP_CWORD]} == = ]] && return
    for ((at = 2; at < COMP_CWORD; at++)); do
        case ${COMP_WORDS[at]} in
            @VALUED@) ((at++)); [[ ${COMP_WORDS[at]} == = ]] && ((at++)) ;;
            =) ((at++)) ;;
            -?*) ;;
            *) ((position++)) ;;
        esac
    done
    case "${COMP_WORDS[1]} $position" in
@POSITIONALS@    esac
}

complete -F _anna anna
"""


def bash(syntax: Syntax) -> str:
    """For bash 3.2 and later."""
    values = [
        f"{'|'.join(_quoted(f'{command.name} {name}') for name in option.names)}) {_bash_offer(option.kind)}; return ;;"
        for command in syntax.commands for option in command.options if option.kind is not None
    ]  # fmt: skip
    options = [f"{command.name}) _anna_offer {_quoted(_names(command.options))} ;;" for command in syntax.commands]
    positionals = [f"{_quoted(f'{command.name} {position}')}) {_bash_offer(kind)} ;;"
              for command in syntax.commands for position, kind in enumerate(command.positionals)]  # fmt: skip
    positionals += [f"'{command.name} '*) {_bash_offer(command.rest)} ;;" for command in syntax.commands if command.rest is not None]
    script = _BASH.replace("@COMMANDS@", f"{' '.join(command.name for command in syntax.commands)} {_names(syntax.options)}")
    script = script.replace("@VALUES@", _lines(values, 8)).replace("@OPTIONS@", _lines(options, 12))
    return HEAD.format(shell="bash") + script.replace("@VALUED@", "|".join(syntax.valued)).replace("@POSITIONALS@", _lines(positionals, 8))


def _names(options: Iterable[OptionSyntax]) -> str:
    return " ".join(name for option in options for name in option.names)


def _bash_offer(kind: Kind | None) -> str:
    assert kind is not None
    suffixes = "any" if ANY in kind.suffixes else " ".join(kind.suffixes)
    parts = [_quoted(" ".join(kind.words())), _quoted(suffixes), "folders" if kind.folders else "''"]
    return f"_anna_offer {' '.join(parts)}"


# --- zsh -------------------------------------------------------------------------------------------------------------
_ZSH = r"""
_anna_offer() {  # words, suffixes of files, "folders" or nothing
    local -a offered=(${=1}) endings=(${=2})
    local found=1
    (( $#offered )) && compadd -- ${offered:#*=} && found=0
    (( $#offered )) && compadd -S '' -- ${(M)offered:#*=} && found=0
    if [[ $2 == any ]]; then
        _files && found=0
    elif (( $#endings )); then
        _files -g "${(j: :)endings/#/*}" && found=0
    elif [[ -n $3 ]]; then
        _files -/ && found=0
    fi
    return found
}

_anna() {
    local curcontext=$curcontext state state_descr line
    typeset -A opt_args
    local -a commands=(
@COMMANDS@    )
    _arguments -C @OPTIONS@ '1:command:->command' '*::argument:->argument' && return
    case $state in
        command) _describe command commands ;;
        argument)
            case $words[1] in
@ARGUMENTS@            esac ;;
    esac
}

if [[ $funcstack[1] == _anna ]]; then _anna "$@"; else compdef _anna anna; fi
"""


def zsh(syntax: Syntax) -> str:
    """For zsh 5, in a folder of `fpath` or sourced."""
    commands = [_quoted(f"{command.name}:{command.summary}") for command in syntax.commands]
    own = []
    for command in syntax.commands:
        specs = [*map(_zsh_option, command.options)]
        specs += [_quoted(f"{position}:{_zsh_action(kind)}") for position, kind in enumerate(command.positionals, 1)]
        specs += [_quoted(f"*:{_zsh_action(command.rest)}")] if command.rest is not None else []
        own.append(f"{command.name}) _arguments -s {' '.join(specs)} ;;")
    script = _ZSH.replace("@COMMANDS@", _lines(commands, 8)).replace("@ARGUMENTS@", _lines(own, 16))
    return "#compdef anna\n" + HEAD.format(shell="zsh") + script.replace("@OPTIONS@", " ".join(map(_zsh_option, syntax.options)))


def _zsh_option(option: OptionSyntax) -> str:
    text = option.help.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")
    again = "*" if option.repeats else "" if len(option.names) == 1 else f"({' '.join(option.names)})"
    value = f":{_zsh_action(option.kind)}" if option.kind is not None else ""
    specs = []
    for name in option.names:
        sign = "" if option.kind is None else "=" if name.startswith("--") else "+"
        specs.append(_quoted(f"{again}{name}{sign}[{text}]{value}"))
    return " ".join(specs)


def _zsh_action(kind: Kind | None) -> str:
    """A blank before the function: it is called as it stands."""
    assert kind is not None
    return f"value: {_bash_offer(kind)}" if kind.offers else "value: "


# --- fish ------------------------------------------------------------------------------------------------------------
_FISH = r"""
function __anna_words  # what stands before the cursor, --option=value in two
    commandline -opc | string replace -r '^(--[^=]+)=' '$1\n' | string split \n
end

function __anna_is  # the command
    set -l words (__anna_words)
    test (count $words) -ge 2; and test $words[2] = $argv[1]
end

function __anna_at  # the command, and how many words stand after it without an option's name
    __anna_is $argv[1]; or return
    set -l position 0
    set -l skip 0
    for word in (__anna_words)[3..]
        if test $skip = 1
            set skip 0
        else if contains -- $word @VALUED@
            set skip 1
        else if not string match -q -- '-*' $word
            set position (math $position + 1)
        end
    end
    test $position $argv[2] $argv[3]
end

function __anna_files  # with these suffixes, and folders on the way
    set -l begun (commandline -ct | string replace -r '^--[^=]+=' '')
    for suffix in $argv
        set -l found $begun*$suffix
        printf '%s\n' $found
    end
    set -l folders $begun*/
    printf '%s\n' $folders
end

complete -c anna -f
@LINES@"""


def fish(syntax: Syntax) -> str:
    """For fish 3."""
    first = "test (count (__anna_words)) = 1"
    lines = [f"complete -c anna -n {_fish(first)} -a {command.name} -d {_fish(command.summary)}" for command in syntax.commands]
    lines += [f"complete -c anna -n {_fish(first)} {_fish_option(option)}" for option in syntax.options]
    for command in syntax.commands:
        lines += [f"complete -c anna -n '__anna_is {command.name}' {_fish_option(option)}" for option in command.options]
        lines += [f"complete -c anna -n '__anna_at {command.name} -eq {position}' {_fish_offer(kind)}"
                  for position, kind in enumerate(command.positionals)]  # fmt: skip
        if command.rest is not None:
            lines.append(f"complete -c anna -n '__anna_at {command.name} -ge {len(command.positionals)}' {_fish_offer(command.rest)}")
    return HEAD.format(shell="fish") + _FISH.replace("@VALUED@", " ".join(syntax.valued)).replace("@LINES@", _lines(lines, 0))


def _fish(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _fish_option(option: OptionSyntax) -> str:
    names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names)
    values = "" if option.kind is None else f" -r {_fish_offer(option.kind)}"
    return f"{names} -d {_fish(option.help)}{values}"


def _fish_offer(kind: Kind) -> str:
    if ANY in kind.suffixes:
        return f"-F -a {_fish(' '.join(kind.words()))}" if kind.words() else "-F"
    parts = [*kind.words()]
    if kind.suffixes:
        parts.append(f"(__anna_files {' '.join(kind.suffixes)})")
    elif kind.folders:
        parts.append("(__fish_complete_directories)")
    return f"-f -a {_fish(' '.join(parts))}" if parts else "-f"


SCRIPTS: dict[str, Callable[[Syntax], str]] = {"bash": bash, "zsh": zsh, "fish": fish}
