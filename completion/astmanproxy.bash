# SPDX-License-Identifier: GPL-2.0-or-later
# Completion for bash, written by "make docs".                          -*- shell-script -*-

_astmanproxy()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} quote='' each
    local -a found=() commands=(
        'help'
        'kick '
        'kick user '
        'pause'
        'resume'
        'reconnect'
        'version'
        'reload'
        'loglevel debug'
        'loglevel info'
        'loglevel warning'
        'loglevel error'
        'loglevel critical'
        'loglevel default'
        'shutdown'
        'restart'
        'status'
        'show servers'
        'show clients'
        'show listeners'
        'show users'
        'show config'
        'show threads'
        'show memory'
        'show stats'
        'show cluster'
    )
    # In --config=FILE the "=" is a word.
    if [[ $cur == "=" ]]; then
        cur=
    elif [[ $prev == "=" ]]; then
        prev=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    COMPREPLY=()
    if [[ " -c --config -u --users -p --pidfile " == *" $prev "* ]]; then
        # Nothing found here: files.
        compopt -o default
    elif [[ " --control " == *" $prev "* ]]; then
        [[ $cur != [\'\"]* ]] || quote=${cur:0:1}
        cur=${cur#"$quote"}
        [[ -n $quote ]] || cur=${cur//\\/}
        for each in "${commands[@]}"; do
            [[ $each != "$cur"* ]] || found+=("$each")
        done
        # A second one keeps the word open for the argument.
        [[ ${#found[@]} != 1 || ${found[0]} != *" " ]] || found+=("${found[0]}...")
        for each in "${found[@]}"; do
            [[ -n $quote ]] || printf -v each '%q' "$each"
            COMPREPLY+=("$each")
        done
    elif [[ " --instance --new-token " != *" $prev "* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "-d --debug -f --foreground -g --core -c --config -u --users -p --pidfile --instance -t --test --show-config --hash-secret --new-token --control --status --watch --json -h --help -v --version" -- "$cur")
    fi
}
complete -F _astmanproxy astmanproxy
