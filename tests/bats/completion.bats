#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What __complete offers, and that the shells' stubs hand it on.

load ../helpers

tree=$tests/root/intel-remap.capture

# offers WORD... - the candidates for the last word, one per line, in $output
offers() {
	works __complete -- "$@"
	output=$(sed 's/\t.*//' <<<"$output")
	mapfile -t lines <<<"$output"
}

@test "commands: all that are listed, those that begin so, none behind nonsense" {
	offers ''
	local all=$output
	works --json help
	assert_equal "$(jq -r '.commands[].command' <<<"$output" | sort)" "$(sort <<<"$all")"
	offers un
	assert_output $'unbind\nunmask'
	offers frob ''
	assert_output ''
	offers help res
	assert_line resize
	refute_line --partial __complete
}

@test "addresses of the root that is named; short, full when begun so" {
	offers --root "$tree" info 0
	assert_line 01:00.0
	assert_line 04:00.0
	refute_line --partial 0000:
	offers --root "$tree" info 0000:04
	assert_output 0000:04:00.0
	offers --root "$tree" info 7f
	assert_output ''
	works __complete -- --root "$tree" info 03
	assert_output $'03:00.0\te1000e Intel Corporation 82574L Gigabit Network Connection'
}

@test "each kind of word in its place" {
	offers trigger 01:00.0 m
	assert_output $'msi\nmsix'
	offers trigger 01:00.0 msix a
	assert_output $'all\narmed'
	offers enable 01:00.0 msix n
	assert_output none
	offers read 01:00.0 bar
	assert_output $'bar0\nbar1\nbar2\nbar3\nbar4\nbar5'
	offers read 01:00.0 bar0 0 ''
	assert_output $'b\nw\nl\nq'
	offers mask 01:00.0 msix 0 --by ''
	assert_output $'action\ntable\nbits\neventfd'
	offers --color=a
	assert_output $'--color=auto\n--color=always'
	offers run 01:00.0 ''
	assert_output ''
	works __complete -- run 01:00.0 ''
	assert_output $'\tfile'
}

@test "options: the command's and everybody's, hidden ones left out, columns in lists" {
	offers info 01:00.0 --t
	assert_line -- --table
	assert_line -- --trace
	offers help --
	refute_line -- --man
	offers list -o dev
	assert_output DEVICE
	offers list -o DEVICE,n
	assert_output DEVICE,NAME
	offers list --output=+i
	assert_line -- --output=+ID
	offers list -o DEVICE,NAME,DRIVER,
	refute_line DEVICE,NAME,DRIVER,NAME
}

@test "hostile words do no harm" {
	offers "$(printf 'x%.0s' {1..5000})"
	offers info "$(printf '\e[31m')"
	assert_output ''
	offers list -o "$(printf 'A,%.0s' {1..2000})"
	offers -- -- --
	works __complete
	works __complete --
	works --json __complete -- ''
}

@test "bash" {
	[[ -r /usr/share/bash-completion/bash_completion ]] || skip 'no bash-completion here'
	cp "$MSICTL" "$BATS_TEST_TMPDIR/msictl"
	# shellcheck disable=SC2016
	run -0 env PATH="$BATS_TEST_TMPDIR:$PATH" bash --norc -c '
		set +u
		. /usr/share/bash-completion/bash_completion
		. "$1"
		complete_line() {
			COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9 COMP_KEY=9
			read -ra COMP_WORDS <<<"$1"
			[[ $1 != *" " ]] || COMP_WORDS+=("")
			COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
			_msictl 2>/dev/null
			printf "%s\n" "${COMPREPLY[@]}"
		}
		complete_line "msictl unb"
		complete_line "msictl enable 01 ms"
		complete_line "msictl mask x msix 0 --by t"
	' - "$tests/../completions/msictl.bash"
	assert_output $'unbind\nmsi\nmsix\ntable'
}

@test "fish" {
	command -v fish >/dev/null || skip 'no fish here'
	cp "$MSICTL" "$BATS_TEST_TMPDIR/msictl"
	run -0 env PATH="$BATS_TEST_TMPDIR:$PATH" HOME="$BATS_TEST_TMPDIR" fish --no-config -c \
		"source $tests/../completions/msictl.fish; complete -C 'msictl unb'; complete -C 'msictl enable x ms'"
	assert_line --index 0 --regexp '^unbind'
	assert_line --index 1 --regexp '^msi'
}

@test "zsh" {
	command -v zsh >/dev/null || skip 'no zsh here'
	run -0 zsh -n "$tests/../completions/_msictl"
}
