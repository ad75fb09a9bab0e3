# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The device suite's roles on the simulation, and what the function itself says:
# its MSI-X table, mask bits and control words, read as registers. Only of the
# device that dev_start holds: it is gone with that.

firing=sim:msix=5,msi=1
wide=sim:msix=65,msi=0
multi=sim:msix=16,msi=16
level=sim:msix=0,msi=1
granting=sim:msi=16,host=1
[[ $world != sim-noresize ]] || {
	firing+=,noresize
	wide+=,noresize
	multi+=,noresize
}

# src/sim/config.c, src/sim/internal.h
firing_id=0x49584d53 bar0_size=0x1000 no_bar=bar4
msi_words='0x50 0x52 0x5c' msix_words='0xb0 0xb2 0xb8' msix_bar=bar2

dynamic() {
	[[ $world != sim-noresize ]]
}

remapped() {
	true
}

short_grants() {
	true
}

pm_cap() {
	echo 0x40
}

# reg REGION OFFSET WIDTH - its value, decimal
reg() {
	dev_send "read $*"
	[[ $output =~ \"value\":([0-9]+) ]] || fail "no value in $output"
	echo "${BASH_REMATCH[1]}"
}

# handlers DEVICE INDEX - "VECTOR ADDRESS" of all that the function would send; an
# entry without a handler is masked and zero
handlers() {
	local v n mask

	if [[ $2 == msix ]]; then
		n=$(($(reg config 0xb2 w) & 0x7ff))
		for ((v = 0; v <= n; v++)); do
			(($(reg bar2 $((v * 16 + 12)) l) & 1)) || echo "$v $(reg bar2 $((v * 16)) l)"
		done
	elif (($(reg config 0x52 w) & 1)); then
		mask=$(reg config 0x60 l)
		for ((v = 0; v < 1 << ($(reg config 0x52 w) >> 4 & 7); v++)); do
			((mask >> v & 1)) || echo "$v 0"
		done
	fi
}

# armed DEVICE INDEX - as a JSON array
armed() {
	local list

	list=$(handlers "$@" | cut -d' ' -f1)
	echo "[${list//$'\n'/,}]"
}

# There are no Linux IRQs: nothing but msictl's own books tells what is allocated.
allocated() {
	:
}

# And nothing is left of a simulation whose process has ended.
nothing_left() {
	:
}

# control DEVICE MSI|MSIX - Message Control, four digits
control() {
	local -A at=([MSI]=0x52 [MSIX]=0xb2)

	printf '%04x\n' "$(reg config "${at[$2]}" w)"
}

command_word() {
	printf '%04x\n' "$(reg config 0x4 w)"
}

# src/sim/device.h: the registers that make it fire
fire_ready() {
	:
}

fire() {
	echo "write bar0 0x4 l $2"
}

raise='write bar0 0x8 l 1'
acknowledge='write bar0 0xc l 1'

# want_back DEVICE - it asks for itself back, from whoever holds it
want_back() {
	dev_send 'write bar0 0x18 l 1'
}

# It has fired when the write is answered.
settle() {
	:
}
