#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What only the simulation can show: many vectors, many interrupts, a platform
# that grants little, devices that lose and delay, a server that dies.

load ../helpers

setup() {
	sock=$BATS_TEST_TMPDIR/sock
	server=
}

teardown() {
	dev_clean
	term_stop
	[[ ! $server ]] || kill -KILL "$server" 2>/dev/null || true
}

# few N - N, or what valgrind gets done in the same time
few() {
	echo $((${MSICTL_UNDER_VALGRIND:-0} ? $1 / 100 : $1))
}

# all_count N OF - msix 0 to OF-1 have counted N each
all_count() {
	jq -es "last | [.vectors[] | select(.index == \"msix\" and .count == $1)] | length == $2" <<<"$output" >/dev/null ||
		fail "not all $2 counted $1: $(tail -c 400 <<<"$output")"
}

rings() {
	seq -f 'write bar0 4 l %.0f' "$1" "$2"
}

serve() {
	rm -f "$BATS_TEST_TMPDIR/log"
	"$MSICTL" simulate "$sock" "$@" >"$BATS_TEST_TMPDIR/log" 2>&1 3>&- &
	server=$!
	until_true test -s "$BATS_TEST_TMPDIR/log"
}

@test "2048 vectors: each is triggered, each fires, each counts" {
	local script=$BATS_TEST_TMPDIR/script

	{
		echo 'enable msix all'
		seq -f 'trigger msix %.0f' 0 2047
		rings 0 2047
		echo 'wait msix all --at-least 2'
		echo counters
	} >"$script"
	works --json run sim:msix=2048 "$script"
	all_count 2 2048
	[[ $(jq -s 'last | [.vectors[] | select(.loopback == 1)] | length' <<<"$output") == 2048 ]]
}

@test "2048 vectors, for whom the soft limit of descriptors is too low" {
	ulimit -Sn 256
	works run sim:msix=2048 -c 'enable msix all; trigger msix all; wait msix all'
}

@test "many loopback triggers: every one is counted" {
	local n
	n=$(few 25000)

	works --json run sim:msix=8 -c "enable msix 8; trigger msix 0-7 --count $n; counters"
	all_count "$n" 8
}

@test "many interrupts of the device: every one is counted" {
	local n
	n=$(few 200000)

	run -0 bash -c '{ echo "enable msix 4"; yes "write bar0 4 l 2" | head -n "$1"; echo "counters"; echo "read bar0 0x20 q"; } |
		"$MSICTL" --json run sim:msix=8 - | grep -v "\"write\""' - "$n"
	[[ $output =~ \"vector\":2,[^}]*\"count\":$n, ]] || fail "not $n: $output"
	# the device has sent as many
	[[ ${lines[-1]} == *"\"value\":$n}" ]] || fail "${lines[-1]}"
}

@test "host=N: the grant, and nothing enabled" {
	fails 7 --json run sim:msix=64,msi=16,host=4 -k -c 'enable msi 16; enable msi 4; disable msi; enable msix 5'
	[[ ${lines[0]} == *'"cause":"short"'*'the peer grants 4 of 16 msi vectors'* ]] || fail "${lines[0]}"
	[[ ${lines[0]} == *'"hint":"enable msi 4"'* ]]
	[[ ${lines[1]} == *'"armed":[0,1,2,3]'* && ${lines[1]} != *'"error"'* ]]
	[[ ${lines[3]} == *'the peer grants 4 of 5 msix vectors'* ]]
}

@test "probe measures what a simulated host grants, no power of two either" {
	works --json probe sim:host=3
	json '.msi | .granted == 3 and (.powers_of_two_only | not)'
	works probe sim:host=3
	assert_line --regexp '^ +peer grants +3 +asked 16, the answer was 3; nothing was left enabled$'
	works --json run sim:host=3 -c 'enable msi 3'
	json '.armed == [0,1,2]'
}

@test "fail-at=N: what was live stays, or is armed again after a rebuild" {
	dev_start sim:msix=64,fail-at=8
	dev_send 'enable msix 4' 'trigger msix 0-3' 'resize msix 16'
	error short 'no interrupt vectors left for msix 4-15'
	says armed=[0,1,2,3] dropped=[] errno='"ENOSPC"'
	dev_send 'resize msix 8'
	says armed="$(upto 8)"
	dev_send 'trigger msix 0-7' 'wait msix 0-3 --at-least 2'
	says missing=[]
	dev_send 'wait msix 4-7'
	says missing=[]
	dev_stop 7

	dev_start sim:msix=64,fail-at=8,noresize
	dev_send 'enable msix 4' 'resize msix 16 --rebuild'
	error short 'no interrupt vectors left for msix 0-15'
	says rebuilt=true dropped=[0,1,2,3] repaired=[0,1,2,3] armed=[0,1,2,3]
	dev_send 'trigger msix 0-3' 'wait msix 0-3'
	says missing=[]
	dev_send 'resize msix 16 --rebuild --no-repair'
	says repaired=[] armed=[]
	dev_stop 7
}

@test "a rebuild that fails: blind until the repair, for an unknown time without one" {
	dev_start sim:noresize,fail-at=6
	dev_send 'enable msix 4' 'mask msix 3' 'resize msix 8 --rebuild'
	error short 'no interrupt vectors left for msix 4-7; 0-2, armed before it, were released again$'
	says rebuilt=true dropped=[0,1,2,3] repaired=[0,1,2] armed=[0,1,2] masked=[3] live_before=[0,1,2,3]
	[[ $output =~ \"blind_us\":[1-9] ]] || fail "$output"
	dev_send 'unmask msix 3' 'trigger msix 0-3' 'wait msix 0-3'
	says missing=[]
	dev_send 'resize msix 8 --rebuild --no-repair'
	says rebuilt=true repaired=[] armed=[] blind_us=null
	dev_stop 7
	fails 7 run sim:noresize,fail-at=6 -c 'enable msix 4; resize msix 8 --rebuild'
	assert_line --regexp '^msix: the rebuild failed and was repaired, blind for [1-9][0-9]* us; live before: 0-3$'
	fails 7 run sim:noresize,fail-at=6 -c 'enable msix 4; resize msix 8 --rebuild --no-repair'
	assert_line 'msix: the rebuild failed, off until armed again: 0-3; live before: 0-3'
	works --json --dry-run run sim:noresize -c 'enable msix 4; resize msix 8 --rebuild'
	assert_line --index 1 --partial '"rebuilt":true,"blind_us":null,'
}

@test "the first enable fails as a whole" {
	dev_start sim:msix=64,fail-at=2
	dev_send 'enable msix 4'
	error short 'no interrupt vectors left'
	says enabled=false armed=[] control_enabled=false
	dev_send 'enable msix 2'
	says armed=[0,1]
	dev_stop 7
}

@test "noresize: a refusal, then a rebuild" {
	fails 9 run sim:msix=64,noresize -c 'enable msix 4; resize msix 8'
	hinted 'resize msix 8 --rebuild'
	works run sim:msix=64,noresize -c 'enable msix 4; resize msix 8 --rebuild; trigger msix 0-7; wait msix 0-7'
}

@test "nomask: only the eventfd is left" {
	dev_start sim:msix=8,nomask
	dev_send 'enable msix 2' 'mask msix 0 --by table'
	error failed 'vector control reads 0x0 after 0x1 was written'
	dev_send 'mask msix 0 --by eventfd'
	says masked=[0]
	dev_send 'disable msix' 'enable msi 2' 'mask msi 1'
	says by='"eventfd"' masked=[1]
	dev_stop 1
}

@test "no-intx" {
	fails 1 run sim:no-intx -c 'enable intx 1'
	noted 'the device has no intx$'
}

@test "drop=1/N: some are lost, the same ones with the same seed" {
	local n first
	n=$(few 10000)

	# 4 of the registers: fired, dropped
	lossy() {
		run -0 bash -c '{ echo "enable msix 1"; yes "write bar0 4 l 0" | head -n "$1"; echo "counters; read bar0 0x20 q; read bar0 0x28 q"; } |
			"$MSICTL" --json run "$2" - | grep -v "\"write\""' - "$n" "$1"
		[[ $output =~ \"vector\":0,[^}]*\"count\":([0-9]+) ]]
		arrived=${BASH_REMATCH[1]}
		[[ ${lines[-2]} == *"\"value\":$n}" ]] || fail "${lines[-2]}"
		[[ ${lines[-1]} == *"\"value\":$((n - arrived))}" ]] || fail "$arrived arrived of $n; ${lines[-1]}"
	}
	lossy sim:drop=1/10,seed=1
	first=$arrived
	((arrived < n * 97 / 100 && arrived > n * 80 / 100)) || fail "$arrived of $n"
	lossy sim:drop=1/10,seed=1
	assert_equal "$arrived" "$first"
	lossy sim:drop=1/1
	assert_equal "$arrived" 0
}

@test "latency=: not before its time" {
	dev_start sim:latency=300ms
	dev_send 'enable msix 2' 'write bar0 4 l 1' 'write bar0 4 l 1' 'wait msix 1 --timeout 50ms'
	error expectation 'did not count'
	dev_send 'wait msix 1 --at-least 2 --timeout 5s'
	says missing=[]
	# a loopback goes around the device, and so around its delay
	dev_send 'trigger msix 0' 'wait msix 0 --timeout 50ms'
	says missing=[]
	dev_stop 8
}

@test "the device raises ERR, and asks for itself back by REQ" {
	dev_start sim
	dev_send 'enable err 1' 'write bar0 0x14 l 1' 'wait err 0 --timeout 5s'
	says missing=[]
	dev_send 'enable msix 2' 'write bar0 0x18 l 1'
	dev_send counters
	error no-device 'took the device back'
	dev_stop 3
}

@test "mask --by eventfd says what becomes of what fires meanwhile, by index" {
	says_of() {
		works run "$1" -c "enable $2 1; mask $2 0 --by eventfd"
		assert_line --regexp "^$2: masked 0 by eventfd \(.*$3"
	}

	says_of sim msix 'stays pending in the device'
	says_of sim msi 'stays pending in the device'
	says_of sim:nomask msi "whether an edge meanwhile is kept can't be seen"
	says_of sim:client-enable msix "whether an edge meanwhile is kept can't be seen"
	says_of sim err 'errors meanwhile are not signalled'
	says_of sim intx 'whether a level that is still up fires when it is back is up to the peer'
}

@test "a change of err leaves the device the right to send messages" {
	dev_start sim
	dev_send 'enable msix 2' 'enable err 1' 'write bar0 4 l 1' 'wait msix 1 --timeout 5s'
	says missing=[]
	dev_send 'disable err' 'write bar0 4 l 1' 'wait msix 1 --timeout 5s'
	says missing=[]
	dev_stop
}

@test "mask says what is pending, up to the last vector of a large table" {
	dev_start sim:msix=2048
	dev_send 'enable msix all' 'mask msix 0,40,63-64,2047' 'write bar0 4 l 40' 'write bar0 4 l 63' \
		'write bar0 4 l 64' 'write bar0 4 l 2047' 'mask msix 0'
	says pending=[40,63,64,2047]
	dev_stop
}

@test "info: who serves it, and what does not apply" {
	serve msix=8
	works info "vfio-user:$sock"
	assert_line --regexp '^peer +vfio-user 0\.[0-9], up to 253 descriptors per message'
	assert_line --regexp '^host +none of this function: no driver, IOMMU group, Linux IRQ or affinity'
	works --json info "vfio-user:$sock"
	json '.peer != "" and .quirks == [] and (has("driver") | not) and (.irqs | length) == 5'
}

@test "info --table reads entries and pending bits as registers" {
	works --json run sim:msix=8 -c 'enable msix 3; mask msix 1; write bar0 4 l 1; info --table'
	run -0 jq -se 'last.table | .[0].masked == false and .[1].masked and .[1].pending and .[0].address > 0' <<<"$output"
}

@test "the server is killed under a shell: it says so, goes on, and reopens" {
	serve msix=8
	term_start shell "vfio-user:$sock"
	term_expect "> *$"
	term_type 'enable msix 4'
	term_key Enter
	term_expect 'msix 4> *$'
	kill -KILL "$server"
	wait "$server" || true
	term_expect 'process that served the device is gone; reopen when it is back'
	term_type 'trigger msix 0'
	term_key Enter
	term_expect 'trigger: the process that served the device is gone .ENODEV.'
	term_type reopen
	term_key Enter
	term_expect 'nobody serves this socket any more'
	serve msix=8
	term_type reopen
	term_key Enter
	term_expect 'is open again, nothing is armed'
	term_type 'enable msix 8; trigger msix 0-7; wait msix 0-7'
	term_key Enter
	term_expect 'msix 8> *$'
	term_type quit
	term_key Enter
	# a command has failed before
	until_true test -s "$BATS_TEST_TMPDIR/status"
}

@test "the shell is killed: the server takes the next" {
	serve msix=8
	term_start shell "vfio-user:$sock"
	term_expect "> *$"
	term_type 'enable msix 8'
	term_key Enter
	term_expect 'msix 8> *$'
	kill -KILL "$(term_pid)"
	works run "vfio-user:$sock" -c 'enable msix 8; trigger msix 0-7; wait msix 0-7'
}

@test "a simulation ends with its client, however that ends" {
	local child

	mkfifo "$BATS_TEST_TMPDIR/in"
	"$MSICTL" run sim - <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	server=$!
	exec 7>"$BATS_TEST_TMPDIR/in"
	echo 'enable msix 1' >&7
	until_true grep -q armed "$BATS_TEST_TMPDIR/out"
	child=$(pgrep -P "$server")
	kill -KILL "$server"
	wait "$server" || true
	server=
	until_true gone "/proc/$child"
}

@test "a simulation that dies under a script" {
	dev_start sim
	dev_send 'enable msix 2'
	kill -KILL "$(pgrep -P "$dev_pid")"
	dev_send 'trigger msix 0'
	error no-device ''
	dev_stop 3
}

@test "what is off is said to be off, and a hint names what the device has" {
	works run sim:msi=4,msix=8 -c 'counters; info; enable msi 4; disable msi; info'
	noted '^none of its vectors is armed$'
	assert_line --regexp '^msi +off, .* 4 offered \(MMC=2\), none enabled \(MME=[0-9]\),'
	refute_line --regexp '^msi +off, .* [0-9]+ enabled'
	works --json run sim:msi=4 -c 'enable msi 4; info; disable msi; info'
	[[ ${lines[1]} == *'"enabled":true,"maximum":4,"granted":4,'* ]]
	[[ ${lines[3]} == *'"enabled":false,"maximum":4,"granted":0,'* ]]
	refused 2 'msix has vectors 0-7, 8 is beyond' run sim:msix=8 -c 'enable msix 9'
	hinted 'enable msix 8$'
	refused 2 '9 is beyond' run sim:msix=8 -c 'resize msix 10'
	hinted 'resize msix 8$'
	refused 2 'is beyond' run sim:msix=8 -c 'enable msix none --room 9'
	hinted 'enable msix none --room 8$'
}
