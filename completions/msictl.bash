# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for msictl: the program itself knows its words.

_msictl()
{
	local cur prev words cword line word files=

	# An address holds colons and an option =, where bash would split words.
	_get_comp_words_by_ref -n := cur prev words cword || return
	COMPREPLY=()
	while IFS= read -r line; do
		word=${line%%$'\t'*}
		if [[ $word ]]; then
			COMPREPLY+=("$word")
		else
			files=1
		fi
	done < <("${words[0]/#\~/$HOME}" __complete -- "${words[@]:1:cword}" 2>/dev/null)
	if [[ $files ]]; then
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "${cur##*[=:]}")
		return
	fi
	# bash replaces what is behind its last word break only.
	if [[ $cur == *=* && $COMP_WORDBREAKS == *=* ]]; then
		COMPREPLY=("${COMPREPLY[@]#"${cur%"${cur##*=}"}"}")
	fi
	# sim:msix= wants its number right behind.
	[[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace
	__ltrim_colon_completions "$cur"
} &&
	complete -F _msictl msictl
