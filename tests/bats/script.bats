#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# run: scripts, on a simulated device. What a real one does is in tests/lab.

load ../helpers

setup() {
	serve msix=8
}

teardown() {
	[[ ! ${runner-} ]] || kill -9 "$runner" 2>/dev/null || true
	kill "$server" 2>/dev/null || true
}

# serve SPEC - a device, as $device; waiting for it costs no polling
serve() {
	local line

	mkfifo "$BATS_TEST_TMPDIR/said"
	"$MSICTL" simulate "$BATS_TEST_TMPDIR/sock" "$1" >"$BATS_TEST_TMPDIR/said" 2>&1 3>&- &
	server=$!
	read -r -t 60 line <"$BATS_TEST_TMPDIR/said"
	[[ $line == listening* ]] || fail "$line"
	device=vfio-user:$BATS_TEST_TMPDIR/sock
}

# script LINE... - a file of them, $script
script() {
	script=$BATS_TEST_TMPDIR/script
	printf '%s\n' "$@" >"$script"
}

@test "a bad line 7: FILE:7, exit 2, nothing behind it is run" {
	script '# a comment' '' 'enable msix 4 # behind a command, too' '  ; ;' \
		'trigger msix 0-3 --count 2; wait msix 0-3 --at-least 2' "resize 'msix' \"6\"" 'frob msix' 'disable msix'
	fails 2 run "$device" "$script"
	noted "^msictl: $script:7: .*there is no command \"frob\"\$"
	hinted 'help lists the commands'
	assert_line --partial 'msix: 4 armed of 8, added 0-3'
	assert_line --partial 'msix: 0-3 counted at least 2'
	assert_line --partial 'msix: 6 armed of 8, added 4-5, untouched 0-3'
	refute_line --partial off
}

@test "-k goes on; the first failure gives the status" {
	script 'wait msix armed' 'frob' 'enable msix 3' 'wait msix 1 --timeout 0' 'trigger msix 1'
	fails 1 run "$device" -k "$script"
	noted "^msictl: $script:1: .*wait: no msix vector is armed\$"
	noted "^msictl: $script:2: .*no command \"frob\"\$"
	noted "^msictl: $script:4: .*msix 1 did not count 1 within 0 s\$"
	assert_line --partial 'triggered 1, 1 time'
	fails 8 run --keep-going "$device" -c 'enable msix 1; wait msix 0 --timeout 0; frob; trigger msix 0'
	assert_line --partial 'triggered 0, 1 time'
}

@test "standard input and -c are scripts, too; quit ends one" {
	run --separate-stderr -2 bash -c 'printf "enable msix 2\n\nfrob" | "$MSICTL" run "$1" -' - "$device"
	noted '^msictl: -:3: .*no command "frob"$'
	assert_line --partial 'msix: 2 armed of 8'
	fails 2 run "$device" -c $'enable msix 1\nfrob'
	noted '^msictl: -c:2: .*no command "frob"$'
	works run "$device" -c 'enable msix 1; quit; frob'
	works run "$device" -c ''
	works run "$device" /dev/null
	assert_equal "$output$stderr" ''
}

@test "what is no script" {
	refused 1 "cannot read the script $BATS_TEST_TMPDIR/none \(ENOENT\)" run "$device" "$BATS_TEST_TMPDIR/none"
	refused 1 'cannot read the script /tmp \(EISDIR\)' run "$device" /tmp
	printf 'he\0lp\n' >"$BATS_TEST_TMPDIR/nul"
	refused 2 ':1: the line holds a NUL byte' run "$device" "$BATS_TEST_TMPDIR/nul"
	refused 2 ':1: the line has no end' run "$device" /dev/zero
	refused 2 ':1: .*the quote ' run "$device" -c "enable 'msix 4"
	refused 2 ':1: .*backslash that escapes nothing' run "$device" -c 'enable msix \'
	refused 2 ':1: .*more than 64 words' run "$device" -c "help $(seq -s ' ' 100)"
	# a control character in the name of a file does not reach the terminal
	script frob
	mv "$script" "$BATS_TEST_TMPDIR/"$'\e[31m'
	refused 2 '\\x1b\[31m:1: ' run "$device" "$BATS_TEST_TMPDIR/"$'\e[31m'
}

@test "--json: one object per line, errors among them" {
	fails 2 --json run "$device" -k -c 'enable msix 4; trigger msix 0,3; wait msix 0,3; read config 0 l; resize msix 9; frob; help read'
	json_lines 'length == 7'
	json_lines '.[0] | .command == "enable" and .armed == [0,1,2,3] and .count == 8 and .enabled'
	json_lines '.[1] == {"command":"trigger","index":"msix","vectors":[0,3],"times":1,"loopback":true}'
	json_lines '.[2] | .missing == [] and (.us | type == "number")'
	json_lines '.[3] | .command == "read" and .region == "config" and .offset == 0 and .width == 4 and .value > 0'
	json_lines '.[4].error | .cause == "usage" and (.message | test("8 is beyond"))'
	json_lines '.[5].error | .cause == "usage" and (.message | test("frob"))'
	json_lines '.[6].command == "read"'
	# a command's own --json
	works run "$device" -c 'enable msix 1 --json; trigger msix 0'
	assert_line --index 0 --partial '{"command":"enable"'
	assert_line --index 1 --partial 'msix: triggered 0'
}

@test "--dry-run changes nothing and prints each call" {
	works --dry-run run "$device" -c 'enable msix 4; resize msix 6; trigger msix 0-1; mask msix 2; disable msix; write config 4 w 6; reset'
	assert_line 'would: VFIO_DEVICE_SET_IRQS(index=msix start=0 count=4 DATA_EVENTFD|ACTION_TRIGGER eventfds=0-3)'
	assert_line 'would: VFIO_DEVICE_SET_IRQS(index=msix start=4 count=2 DATA_EVENTFD|ACTION_TRIGGER eventfds=4-5)'
	assert_line 'would: VFIO_DEVICE_SET_IRQS(index=msix start=0 count=2 DATA_NONE|ACTION_TRIGGER)'
	assert_line 'would: VFIO_DEVICE_SET_IRQS(index=msix start=0 count=0 DATA_NONE|ACTION_TRIGGER)'
	assert_line --partial 'would: pwrite(config offset=0x4 size=2 value=0x0006)'
	assert_line --regexp '^would: VFIO_DEVICE_RESET'
	# one command alone, which is refused without it
	works --dry-run enable "$device" msix 0,2
	assert_line --partial 'eventfds=0)'
	assert_line --partial 'eventfds=2)'
}

@test "--dry-run: nothing is said to be so, and what follows goes on as if" {
	works --dry-run run "$device" -c 'enable msix 4; mask msix 1; resize msix 6; trigger msix 0 --count 5; wait msix 0; latency msix 0; disable msix; reset'
	assert_line 'msix: would be 4 armed of 8, added 0-3   (1 SET_IRQS, not made)'
	assert_line --partial 'msix: would be masked 1 by table'
	assert_line --partial '; masked then: 1'
	assert_line 'msix: would be 6 armed of 8, added 4-5, untouched 0-3, masked 1   (1 SET_IRQS, not made)'
	assert_line --partial 'msix: would trigger 0, 5 times'
	assert_line --partial 'msix: would be off, released 0-5'
	assert_line --partial 'would be reset; armed vectors would stay armed'
	# once, as it would be
	assert_equal "$(grep -c '^would: pwrite(config offset=0x4 size=2 value=0x0006)' <<<"$output")" 1
	assert_equal "$(grep -c '^would: pwrite(config offset=0x4 size=2 value=0x0002)' <<<"$output")" 1
	assert_equal "$(grep -c 'bus mastering would be turned on' <<<"$stderr")" 1
	assert_equal "$(grep -c 'bus mastering would be turned off again' <<<"$stderr")" 1
	noted '^a dry run waits for nothing$'
	noted '^a dry run triggers nothing, so nothing is measured$'
	run -1 grep -E '^[a-z]+: ([0-9]+ armed|triggered|masked|off)|^reset' <<<"$output"
	works --json --dry-run run "$device" -c 'enable msix 4; mask msix 1; trigger msix 0; wait msix 0; disable msix; write bar0 4 l 1; reset'
	json_lines 'length == 7 and all(.dry_run)'
	works --json run "$device" -c 'enable msix 4'
	json_lines '.[0] | has("dry_run") | not'
	works --help
	assert_output --partial 'opened all the same'
}

@test "--dry-run of one command among others leaves what is live alone" {
	fails 1 --json run "$device" -k -c 'enable msix 4; mask msix 2; disable msix --dry-run; resize msix 8 --dry-run; trigger msix 6; resize msix 2 --release --dry-run; unmask msix 2 --dry-run; reset --dry-run; mask msix 0 --dry-run; trigger msix 0-3; wait msix 0-3 --timeout 5s; write bar0 4 l 1; write bar0 4 l 2; counters; disable msix; read config 4 w'
	json_lines '.[2] | .dry_run and (.enabled | not) and .armed == []'
	json_lines '.[3] | .dry_run and .armed == [0,1,2,3,4,5,6,7]'
	json_lines '.[4].error.message | test("msix 6 not armed")'
	json_lines '.[6] | .dry_run and .masked == []'
	json_lines '.[10] | .missing == []'
	json_lines '[.[13].vectors[] | select(.index == "msix") | [.state, .count]] == [["armed",1],["armed",2],["masked",1],["armed",1]]'
	json_lines '.[14] | .bus_master_turned_off and .removed == [0,1,2,3]'
	json_lines '.[15].value == 2'
}

@test "--dry-run of reopen opens nothing and drops nothing" {
	works --json run "$device" -c 'enable msix 4; reopen --dry-run; trigger msix 3; wait msix 3; counters'
	json_lines '.[1] | .command == "reopen" and .dry_run'
	json_lines '[.[4].vectors[] | select(.index == "msix") | [.state, .count]] == [["armed",0],["armed",0],["armed",0],["armed",1]]'
	works run "$device" -c 'enable msix 2; reopen --dry-run; disable msix'
	assert_line "would: reopen($device)"
	assert_line --regexp 'would be opened again, nothing would be armed$'
	refute_line --partial 'is open again'
	assert_line --partial 'msix: off, released 0-1'
	# what follows goes on as if
	works --dry-run run "$device" -c 'enable msix 4; reopen; enable msix 2'
	assert_line --partial 'msix: would be 2 armed of 8, added 0-1 '
	works --json run "$device" -c 'reopen; enable msix 1'
	json_lines 'length == 2 and all(has("dry_run") | not)'
}

@test "a trigger of nothing is a mistake" {
	fails 2 run "$device" -c 'enable msix 1; trigger msix 0 --count 0'
	noted 'trigger: --count 0 triggers nothing$'
	refute_output --partial triggered
}

@test "--trace tells of each call made, one SET_IRQS for a growth whatever is live" {
	works --trace run "$device" -c 'enable msix 2; resize msix 8'
	noted '^VFIO_USER_DEVICE_SET_IRQS\(index=msix start=2 count=6 DATA_EVENTFD\|ACTION_TRIGGER eventfds=2-7\) = 0 \([0-9]+ us\)$'
	noted '^VFIO_USER_DEVICE_GET_IRQ_INFO\(msix\) = 0 \{count=8 flags=EVENTFD\} \([0-9]+ us\)$'
	noted '^VFIO_USER_REGION_WRITE\(config offset=0x4 size=2 value=0x0006\) = 0 \([0-9]+ us\)$'
	noted '^VFIO_USER_REGION_READ\(config offset=0x4 size=2\) = 0 \{0x0006\} \([0-9]+ us\)$'
	noted '^VFIO_USER_DEVICE_SET_IRQS\(index=msix start=0 count=0 DATA_NONE\|ACTION_TRIGGER\) = 0 \([0-9]+ us\)$'
	# enable, resize, and the disable at the end
	assert_equal "$(grep -c 'SET_IRQS(index=msix' <<<"$stderr")" 3
}

@test "wait: exit 8 when counts do not come, at once when they are there" {
	local start=$EPOCHREALTIME
	fails 8 run "$device" -c 'enable msix 4; trigger msix 0-1; wait msix armed --timeout 300ms'
	noted 'wait: msix 2-3 did not count 1 within 0.3 s$'
	(($(ms_since "$start") >= 300))
	works run "$device" -c 'enable msix 1; trigger msix 0 --count 100000; wait msix 0 --at-least 100000'
	start=$EPOCHREALTIME
	works run "$device" -c 'enable msix 1; trigger msix 0 --count 5 --rate 20; wait msix 0 --at-least 5'
	(($(ms_since "$start") >= 200))
}

# hold LINE... - a script from a pipe that goes on
hold() {
	mkfifo "$BATS_TEST_TMPDIR/in"
	"$MSICTL" run "$device" - <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	runner=$!
	exec 7>"$BATS_TEST_TMPDIR/in"
	printf '%s\n' "$@" >&7
}

@test "signals end it while it waits for a line, or for a count; all is put back" {
	local signal status
	for signal in TERM HUP; do
		hold 'enable msix 4'
		until_true grep -q '4 armed' "$BATS_TEST_TMPDIR/out"
		kill "-$signal" "$runner"
		status=0
		wait "$runner" || status=$?
		assert_equal "$status" 1
		grep -Eq '^msictl: .*: run: stopped by .*; everything was put back \(EINTR\)$' "$BATS_TEST_TMPDIR/err"
		exec 7>&-
		rm "$BATS_TEST_TMPDIR"/{in,out}
	done
	hold 'enable msix 4' 'wait msix 0 --timeout 60' 'trigger msix 0'
	until_true grep -q '4 armed' "$BATS_TEST_TMPDIR/out"
	kill -TERM "$runner"
	status=0
	wait "$runner" || status=$?
	exec 7>&-
	assert_equal "$status" 1
	run -1 grep triggered "$BATS_TEST_TMPDIR/out"
}

@test "lines that come in pieces" {
	hold 'enable msix 4'
	printf 'trigger ' >&7
	until_true grep -q '4 armed' "$BATS_TEST_TMPDIR/out"
	printf 'msix 0-3\nresize msix' >&7
	until_true grep -q triggered "$BATS_TEST_TMPDIR/out"
	printf ' 8' >&7
	exec 7>&-
	wait "$runner"
	grep -q '8 armed' "$BATS_TEST_TMPDIR/out"
}

@test "a shell without a terminal is a script" {
	run --separate-stderr -2 bash -c 'printf "enable msix 2\nfrob\nenable msix 4\n" | "$MSICTL" shell "$1"' - "$device"
	noted '^msictl: -:2: '
	assert_output --partial '2 armed of 8'
	refute_output --partial '>'
}

@test "a signal ends the line, not only the command that hears it" {
	local words pid status

	for words in 'watch -b -d 60s' 'wait msix 3 --timeout 60s'; do
		"$MSICTL" run -k sim:msix=8 -c "enable msix 4; $words; resize msix 8" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
		pid=$! status=0
		until_true grep -q '4 armed' "$BATS_TEST_TMPDIR/out"
		[[ $words != watch* ]] || until_true grep -q silent "$BATS_TEST_TMPDIR/out"
		kill -TERM "$pid"
		wait "$pid" || status=$?
		assert_equal "$status" 1
		run -1 grep '8 armed' "$BATS_TEST_TMPDIR/out"
	done
}

@test "--json of a command that is mistyped: its error is an object" {
	fails 2 run sim:msix=8 -c 'enable --json nonsense 4'
	json '.error.cause == "usage"'
}
