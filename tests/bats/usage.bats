#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Words that are wrong: each has its exit status and one sentence.

load ../helpers

tree=$tests/root/intel-remap.capture

@test "an address that is none: 2, and the form that is wanted" {
	for address in 01:00 zz:00.0 01:00.8 01:20.0 0000:01:00.0x 01:00.0.1 100000000:01:00.0 \
		' 01:00.0' '01:00.0 ' 01:00,0 ../../etc/passwd /dev/null vfio-pci $'01:00.0\n' $'\e[31m'; do
		refused 2 'is no PCI address: \[domain:\]bus:dev\.fn in hexadecimal is wanted' --root "$tree" info "$address"
		hinted 'msictl list'
	done
	refused 2 'DEVICE: "" is not understood' --root "$tree" info ''
}

@test "an address that is well-formed and nobody's: 3" {
	for address in 7f:1f.7 0000:7f:1f.7 abcd:01:00.0 /sys/bus/pci/devices/0000:7f:1f.7; do
		for command in info counters probe; do
			refused 3 'there is no PCI function [0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7] \(ENODEV\)' \
				--root "$tree" "$command" "$address"
		done
	done
}

@test "addresses: short, full, with zeros, as a path" {
	works --root "$tree" --json info 04:00.0
	local full=$output
	for address in 0000:04:00.0 4:0.0 04:00.0 0:4:0.0 /sys/bus/pci/devices/0000:04:00.0 \
		/sys/devices/pci0000:00/0000:00:04.0/0000:04:00.0/; do
		works --root "$tree" --json info "$address"
		assert_equal "$output" "$full"
	done
}

@test "vectors: down, beyond, empty, of another form" {
	for words in 'trigger 01:00.0 msix' 'mask 01:00.0 msix' 'unmask 01:00.0 msi' 'counters 01:00.0' 'wait 01:00.0 msix'; do
		# the words are words
		# shellcheck disable=SC2086
		{
			refused 2 'VECTORS: "5-3" is out of range: .*a range runs upwards' $words 5-3
			refused 2 'VECTORS: "0-99999" is out of range: vectors are 0 to 2047' $words 0-99999
			refused 2 'VECTORS: "2048" is out of range' $words 2048
			for bad in '' , 0, ,0 0,,1 0- -- 0-1-2 '0 1' 0x3 3.5 a all,0 99999999999999999999; do
				[[ $bad == -- ]] || refused 2 'VECTORS: ' $words "$bad"
			done
		}
	done
}

@test "amounts: counts and vectors are not mixed up" {
	refused 2 '"5-3" is out of range' enable 01:00.0 msix 5-3
	refused 2 '"0-99999" is out of range' enable 01:00.0 msix 0-99999
	refused 2 '"2049" is out of range: a function has 2048 vectors at most' enable 01:00.0 msix 2049
	refused 2 'a count, vectors such as 0-3,7, or all, or none is wanted' enable 01:00.0 msix ''
	refused 2 'is not understood' enable 01:00.0 msix 4x
	refused 2 'COUNT: "0-3" is not understood: a decimal number is wanted' resize 01:00.0 msix 0-3
	refused 2 'COUNT: "4294967296" is out of range' resize 01:00.0 msix 4294967296
	refused 2 'there is no option -1' resize 01:00.0 msix -1
	refused 2 '--room: "x" is not understood' enable 01:00.0 msix 4 --room x
}

@test "indexes, regions, widths, values, rates, periods, choices" {
	refused 2 'INDEX: "msiy" is not understood: intx, msi, msix, err or req is wanted' enable 01:00.0 msiy 4
	refused 2 'INDEX: "" is not understood' disable 01:00.0 ''
	refused 2 'INDEX: "MSI" is not understood' disable 01:00.0 MSI
	refused 2 'REGION: "bar6" is not understood: bar0 to bar5' read 01:00.0 bar6 0 l
	refused 2 'OFFSET: "zz" is not understood' read 01:00.0 bar0 zz l
	refused 2 'OFFSET: "0x10000000000000000" is out of range' read 01:00.0 bar0 0x10000000000000000 l
	refused 2 '"d" is not understood: b, w, l or q' read 01:00.0 bar0 0 d
	refused 2 'VALUE is missing' write 01:00.0 bar0 0 l
	refused 2 'VALUE: "1e3" is not understood' write 01:00.0 bar0 0 l 1e3
	refused 2 '--rate: "0" is out of range: a rate is 1 to 1000000' trigger 01:00.0 msix 0 --rate 0
	refused 2 '--count: "many" is not understood' trigger 01:00.0 msix 0 --count many
	refused 2 '--timeout: "25h" is not understood' wait 01:00.0 msix 0 --timeout 25h
	refused 2 '--timeout: "90000" is out of range: it is above 24 hours' wait 01:00.0 msix 0 --timeout 90000
	refused 2 '--by: "magic" is none of action\|table\|bits\|eventfd' mask 01:00.0 msix 0 --by magic
	refused 2 '--color: "sometimes" is none of auto\|always\|never' --color sometimes list
}

@test "commands and options that do not exist: the nearest one is named" {
	refused 2 'there is no command "frob"' frob
	hinted 'msictl help lists the commands'
	refused 2 'there is no command "lits"' lits
	hinted 'did you mean list\?'
	refused 2 'there is no command "List"' List
	refused 2 'there is no command ""' ''
	refused 2 'there is no option --frob' --frob
	refused 2 'there is no option --jsn' list --jsn
	hinted 'did you mean --json\?'
	refused 2 'there is no option -Z' -Z list
	refused 2 '--json takes no value' list --json=yes
	refused 2 '--output needs a value' list -o
	refused 2 'help: there is no command "frob"' help frob
	refused 2 'quit is only offered inside run and shell' quit
}

@test "long words are told whole" {
	local word

	word=$(printf '%0300d' 7)
	refused 2 "there is no command \"$word\"" "$word"
	refused 2 "there is no option --$word" list "--$word=1"
	refused 2 "one word too many: \"$word\"" info 01:00.0 "$word"
	refused 2 "simulation: '$word' is no word" info "sim:$word"
}

@test "words too few and too many: the usage is the hint" {
	refused 2 'a command is missing'
	refused 2 'DEVICE is missing' info
	hinted 'usage: msictl info DEVICE'
	refused 2 'COUNT\|VECTORS\|none is missing' enable 01:00.0 msix
	hinted 'usage: msictl enable DEVICE INDEX COUNT\|VECTORS\|none'
	refused 2 'one word too many: "extra"' info 01:00.0 extra
	refused 2 "what to run: a FILE, - for standard input, or -c 'COMMANDS'" run 01:00.0
	refused 2 "what to run" run 01:00.0 -c help file
}

@test "a change typed alone is refused with what to type instead" {
	refused 2 'enable: its effect would end with this process' enable sim msix 0-3,7 --room 9
	hinted 'msictl run sim -c "enable msix 0-3,7 --room 9", msictl shell sim, or msictl hold sim first$'
	for words in 'disable sim msi' 'resize sim msix 4' 'mask sim intx 0' 'unmask sim intx 0' \
		'trigger sim msi 0' 'write sim bar0 0 l 1' 'reset sim'; do
		# shellcheck disable=SC2086
		refused 2 'its effect would end with this process' $words
		hinted "msictl run sim -c \"${words%% *}"
	done
}

@test "a change of a device that is not there ends with 3, as all that is asked of one does" {
	local nobody=fffe:1f:1f.7 words

	for words in "enable $nobody msix 1" "disable $nobody msi" "resize $nobody msix 4" "mask $nobody intx 0" \
		"unmask $nobody intx 0" "trigger $nobody msi 0" "write $nobody bar0 0 l 1" "reset $nobody" \
		"latency $nobody msix 0" "info $nobody" "counters $nobody" "read $nobody config 0 l" "run $nobody -c help" \
		"hold $nobody" "bind $nobody"; do
		# shellcheck disable=SC2086
		refused 3 "^$nobody: ${words%% *}: there is no PCI function $nobody \(ENODEV\)\$" $words
		hinted 'msictl list'
	done
	for words in 'enable vfio-user:/nowhere msix 1' 'info vfio-user:/nowhere'; do
		# shellcheck disable=SC2086
		refused 3 '/nowhere: there is no such socket \(ENOENT\)$' $words
	done
}

@test "a captured tree cannot be changed, opened or waited for" {
	for words in 'run 04:00.0 -c help' 'shell 04:00.0' 'bind 04:00.0' 'unbind 04:00.0' 'wait 04:00.0 msix 0' \
		'enable 04:00.0 msix 4' 'read 04:00.0 config 0 l'; do
		# shellcheck disable=SC2086
		refused 2 'it works on the running system only; --root .* is a captured tree' --root "$tree" $words
	done
}

@test "--root: a folder that is none, or not there" {
	refused 1 "cannot open $BATS_TEST_TMPDIR/none as a root \(ENOENT\)" --root "$BATS_TEST_TMPDIR/none" list
	refused 1 "line 1: no capture" --root /etc/passwd list
	refused 2 '--root: "" is not understood' --root '' list
	refused 2 '--root needs a value' --root
}

@test "in JSON an error is one object, with null where nothing applies" {
	fails 2 --json info 01:00
	json '.error | .cause == "usage" and .errno == null and (.message | test("no PCI address")) and (.hint | type == "string")'
	fails 3 --json --root "$tree" info 7f:1f.7
	json '.error | keys == ["cause","errno","hint","message"] and .cause == "no-device" and .errno == "ENODEV"'
	# the mistake stands in front of the option
	fails 2 info 01:00.0 --frob --json
	json '.error.cause == "usage"'
	fails 2 frob --json
	noted 'there is no command'
}

@test "the registers of the simulated device are told where it is told of" {
	works help simulate
	assert_line --regexp '^  0x04 doorbell +write V: the device fires vector V'
	assert_line --regexp '^  5  busy'
	works help --man
	assert_output --partial '0x04 doorbell'
	works read sim bar0 0 l
	assert_output --partial '0x4d534958'
}
