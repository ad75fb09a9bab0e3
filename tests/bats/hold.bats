#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# hold, holders, release on simulated devices; hold-life.bats has what goes
# wrong, tests/lab/hold.bats the real ones.

load ../hold

@test "a script: each command is a process with a status of its own" {
	works hold "$dev"
	assert_output --regexp "^$dev: held by pid [0-9]+$"
	works enable "$dev" msix 4
	assert_line --partial "msix: 4 armed of $vectors"
	works resize "$dev" msix 8
	assert_line --partial 'untouched 0-3'
	works trigger "$dev" msix 0-7
	works wait "$dev" msix all --at-least 1 --timeout 1s
	works --json counters "$dev"
	json '[.vectors[] | select(.count == 1)] | length == 8'
	fails 8 wait "$dev" msix 0 --at-least 2 --timeout 50ms
	refused 2 'is beyond' enable "$dev" msix "$vectors-$vectors"
	works release "$dev"
	refused 3 'nobody holds it' release "$dev"
	hinted "msictl hold $dev"
	refused 2 'its effect would end' enable "$dev" msix 4
	hinted "msictl hold $dev first"
}

@test "a dry run leaves what the holder holds alone" {
	works hold "$dev"
	works enable "$dev" msix 2
	works --json --dry-run disable "$dev" msix
	json '.dry_run and (.enabled | not)'
	works --json --dry-run resize "$dev" msix 3
	json '.dry_run and .armed == [0, 1, 2]'
	works trigger "$dev" msix 0-1
	works wait "$dev" msix 0-1 --timeout 5s
	works --json resize "$dev" msix 3
	json '(has("dry_run") | not) and .added == [2] and .calls == 1'
	in_background wait "$dev" msix 2 --at-least 2 --timeout 100s
	until_true callers 1
	works --json --dry-run run "$dev" -c reopen
	json '.dry_run'
	works trigger "$dev" msix 2 --count 2
	ended 0
}

@test "a dry run of release says whom it would ask" {
	works hold "$dev"
	works enable "$dev" msix 2
	works --dry-run release "$dev"
	assert_output "$dev: would be released by pid $(holder)"
	works --json --dry-run release "$dev"
	json --arg dev "$dev" '.dry_run and .released[0].device == $dev'
	held
	works trigger "$dev" msix 1
	works --json release "$dev"
	json 'has("dry_run") | not'
	refused 3 'nobody holds it' --dry-run release "$dev"
}

@test "options of every command go with it" {
	works hold "$dev"
	works --json enable "$dev" msix 2
	json '.armed == [0, 1]'
	works --dry-run enable "$dev" msix 4
	assert_output --partial 'would: '
	works --trace resize "$dev" msix 3
	noted 'DEVICE_SET_IRQS'
	works resize "$dev" msix 3
	assert_equal "$stderr" ''
	works -n -o VECTOR,STATE counters "$dev" armed
	assert_equal "${#lines[@]}" 3
	refute_output --partial VECTOR
	fails 2 --json enable "$dev" msix "$vectors-$vectors"
	json '.error.cause == "usage"'
	works --color always info "$dev"
	assert_output --partial $'\033[1m'
	works info "$dev"
	refute_output --partial $'\033'
}

@test "info and the shell's script see what was armed" {
	works hold "$dev"
	works enable "$dev" msix 3-3
	works --json info "$dev"
	json '[.vectors[] | select(.state == "armed") | .vector] == [3]'
	run --separate-stderr -0 msictl run "$dev" -c 'resize msix 5; trigger msix 0; counters'
	assert_line --partial 'triggered 0, 1 time'
	run --separate-stderr -0 msictl shell "$dev" <<<$'trigger msix 1\nquit\ntrigger msix 2'
	assert_line --partial 'triggered 1, 1 time'
	refute_line --partial 'triggered 2'
	works --json counters "$dev"
	json '[.vectors[] | .count] | add == 2'
}

@test "run on a held device: errors name the line, the first status counts" {
	works hold "$dev"
	printf 'enable msix 2\nenable msix %s\ntrigger msix 0\n' "$vectors-$vectors" >"$BATS_TEST_TMPDIR/script"
	fails 2 run "$dev" "$BATS_TEST_TMPDIR/script"
	noted "^msictl: $BATS_TEST_TMPDIR/script:2: sim:.*: enable: .*beyond"
	fails 2 run "$dev" -k "$BATS_TEST_TMPDIR/script"
	assert_line --partial 'triggered 0'
	fails 2 run "$dev" -c 'enabel msix 2'
	noted 'did you mean'
	works run "$dev" -c 'help; help enable'
}

@test "holders tells what is armed, in both forms" {
	works hold "$dev"
	works enable "$dev" msix 4
	works --json holders
	json --arg dev "$dev" --argjson n "$vectors" '.holders[] | select(.device == $dev) |
		.msix == {armed: 4, vectors: $n} and .msi.armed == 0 and .open and .callers == 0 and
		(.pid | type) == "number" and (.since | test("^20..-..-..T..:..:..Z$"))'
	works holders
	assert_line --regexp "^$dev .* 4/$vectors "
}

# callers_of DEVICE - the commands that run on it, as holders says
callers_of() {
	msictl --json holders | jq --arg dev "$1" '.holders[] | select(.device == $dev).callers'
}

@test "holders counts the commands of each device, and no question" {
	local other=$dev,noresize n

	works hold "$dev" "$other"
	# the question about one device is not a command on the other
	for n in {1..5}; do
		assert_equal "$(callers_of "$dev") $(callers_of "$other")" '0 0'
	done
	works enable "$other" msix 1
	in_background wait "$other" msix 0 --timeout 100s
	until_true eval '[[ $(callers_of "$other") == 1 ]]'
	assert_equal "$(callers_of "$dev")" 0
	kill -TERM "$pid"
	ended 1
	until_true eval '[[ $(callers_of "$other") == 0 ]]'
	works release "$other" "$dev"
}

@test "a device is held once, and named once" {
	works hold "$dev"
	refused 5 'is held already, by pid [0-9]+' hold "$dev"
	hinted "msictl release $dev"
	refused 2 'named twice' hold sim:msi=1 sim:msi=1
	refused 2 'changes none' --dry-run hold sim:msi=1
	works release "$dev"
	works hold "$dev"
}

@test "a device that can't be opened: the reason and its status" {
	refused 2 'msix' hold sim:msix=0x
	fails 2 --json hold sim:msix=0x
	json '.error.cause == "usage"'
	fails 2 hold "$dev" sim:msix=0x
	not_held
}

@test "two devices, one holder; it ends with the last" {
	works hold "$dev" "$dev,noresize"
	local pid
	pid=$(holder)
	works enable "$dev,noresize" msix 2
	works --json counters "$dev"
	json '.vectors == []'
	works release "$dev"
	works --json counters "$dev,noresize"
	json '.vectors | length == 2'
	works release "$dev,noresize"
	until_true dead "$pid"
}

@test "release: all that are named are tried" {
	works hold "$dev"
	fails 3 release sim:msi=3 "$dev"
	assert_output --partial 'released by'
	not_held
}

@test "one changes while two wait" {
	works hold "$dev"
	works enable "$dev" msix 4
	in_background wait "$dev" msix 2 --timeout 30s
	local first=$pid
	in_background wait "$dev" msix 0,3 --timeout 30s
	until_true callers 2
	works resize "$dev" msix 6
	works trigger "$dev" msix 2
	wait "$first"
	until_true callers 1
	works trigger "$dev" msix 0-3
	ended 0
	until_true callers 0
}

@test "a caller is killed, the holder goes on" {
	works hold "$dev"
	works enable "$dev" msix 2
	in_background wait "$dev" msix 0 --timeout 60s
	until_true callers 1
	kill -KILL "$pid"
	until_true callers 0
	in_background trigger "$dev" msix 0 --count 1000000 --rate 100
	until_true callers 1
	kill -KILL "$pid"
	until_true callers 0
	works trigger "$dev" msix 1
	works wait "$dev" msix 1 --timeout 5s
}

@test "a caller that is asked to stop says so, its command ends" {
	works hold "$dev"
	works enable "$dev" msix 1
	in_background wait "$dev" msix 0 --timeout 60s
	until_true callers 1
	kill -TERM "$pid"
	ended 1
	grep -q 'stopped by Terminated' "$log.err"
	until_true callers 0
}

@test "release ends what runs there" {
	works hold "$dev"
	works enable "$dev" msix 1
	in_background wait "$dev" msix 0 --timeout 60s
	until_true callers 1
	works release "$dev"
	ended 3
	grep -q 'asked to release' "$log.err"
}

@test "an answer of many frames arrives whole" {
	works hold "$dev"
	works enable "$dev" msix "$vectors"
	works --json info --all "$dev"
	json --argjson n "$vectors" '[.vectors[] | select(.state == "armed")] | length == $n'
}

# serve FOLDER VECTORS - a device as the socket s there
serve() {
	mkdir -p "$BATS_TEST_TMPDIR/$1"
	(cd "$BATS_TEST_TMPDIR/$1" && exec "$MSICTL" simulate s "msix=$2") >"$BATS_TEST_TMPDIR/$1/log" 2>&1 3>&- &
	bg+=("$!")
	until_true grep -q listening "$BATS_TEST_TMPDIR/$1/log"
}

@test "a socket is the same device from every folder, and another one where another is" {
	local here

	serve a 8
	serve b 9
	cd "$BATS_TEST_TMPDIR/a"
	here=$(pwd -P)
	works hold vfio-user:s
	assert_output --regexp "^vfio-user:$here/s: held by pid"
	assert_equal "$(readlink "/proc/${output##* }/cwd")" /
	works enable vfio-user:./s msix 2
	cd ../b
	refused 2 'its effect would end' enable vfio-user:s msix 1
	ln -s ../a/s link
	works --json counters vfio-user:link
	json '.vectors | length == 2'
	works hold vfio-user:s
	works enable vfio-user:s msix 9
	cd /
	works resize "vfio-user:$here/s" msix 3
	# the way in is gone, the device is not
	rm "$here/s"
	works resize "vfio-user:$here/s" msix 4
	works release "vfio-user:$here/../b/s" "vfio-user:$here/s"
}
