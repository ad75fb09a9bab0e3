# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the lab's suites have in common: its devices as the kernel itself tells
# of them, so that msictl is not asked whether msictl is right.

# shellcheck source=../helpers.bash
source "${BASH_SOURCE[0]%/*}/../helpers.bash"

pci=/sys/bus/pci/devices
qmp=$tests/lab/qmp

# By their short addresses, as in tests/lab/vm --help.
xhci=01:00.0
edu=02:00.0
e1000e=03:00.0
nvme=04:00.0

sys() {
	echo "$pci/0000:$1${2:+/$2}"
}

# The name that a link of the device's folder ends in.
link_of() {
	local target

	target=$(readlink "$pci/0000:$1/$2") || true
	echo "${target##*/}"
}

driver_of() {
	link_of "$1" driver
}

group_of() {
	link_of "$1" iommu_group
}

# give DEVICE... - to vfio-pci, without msictl
give() {
	local device

	for device in "$@"; do
		[[ $(driver_of "$device") != vfio-pci ]] || continue
		echo vfio-pci >"$(sys "$device" driver_override)"
		[[ ! -e $(sys "$device" driver) ]] || echo "0000:$device" >"$(sys "$device" driver/unbind)"
		echo "0000:$device" >/sys/bus/pci/drivers_probe
		[[ -e /dev/vfio/$(group_of "$device") ]] || fail "$device was not bound"
	done
}

# take DEVICE... - from whatever driver it has
take() {
	local device

	for device in "$@"; do
		[[ ! -e $(sys "$device" driver) ]] || echo "0000:$device" >"$(sys "$device" driver/unbind)"
		echo >"$(sys "$device" driver_override)"
	done
}

# unplug_nvme, plug_nvme [KEY=VALUE...] - out of its place, and back
unplug_nvme() {
	"$qmp" device_del nvme0
	until_true gone "$pci/0000:$nvme"
}

plug_nvme() {
	until_true gone "$pci/0000:$nvme"
	"$qmp" device_add nvme nvme0 rp4 serial=lab \
		max_ioqpairs=$((LAB_NVME_VECTORS - 1)) msix_qsize="$LAB_NVME_VECTORS" "$@"
	until_true test -e "$(sys "$nvme" iommu_group)"
}

remapped() {
	[[ $LAB_INTREMAP == on ]]
}

# Linux 6.10 and later on x86 allocate MSI-X vectors one by one.
dynamic() {
	[[ $LAB_KERNEL != 6.1.* ]]
}

# ---- what the host says

# handlers DEVICE INDEX - "VECTOR IRQ" per line, of all that have a handler
handlers() {
	sed -nE "s/^ *([0-9]+):.*[ ,]vfio-$2\[([0-9]+)\]\(0000:$1\).*/\2 \1/p" /proc/interrupts | sort -n
}

# armed DEVICE INDEX - the vectors that have a handler, as a JSON array
armed() {
	local list

	list=$(handlers "$1" "$2" | cut -d' ' -f1)
	echo "[${list//$'\n'/,}]"
}

# allocated DEVICE - how many Linux IRQs it has
allocated() {
	local irqs=("$(sys "$1" msi_irqs)"/*)

	if [[ -e ${irqs[0]} ]]; then
		echo "${#irqs[@]}"
	else
		echo 0
	fi
}

# interrupts DEVICE INDEX VECTOR - counted by the kernel, all CPUs
interrupts() {
	awk -v action="vfio-$2[$3](0000:$1)" '$NF == action {
		for (i = 2; $i ~ /^[0-9]+$/; i++) n += $i
	} END { print n + 0 }' /proc/interrupts
}

# control DEVICE MSI|MSIX - Message Control in the device, four digits
control() {
	setpci -s "$1" "CAP_$2+2.w"
}

command_word() {
	setpci -s "$1" COMMAND
}

# nothing_left DEVICE - nobody has a vector of it
nothing_left() {
	assert_equal "$(allocated "$1")" 0
	run -1 grep -F "(0000:$1)" /proc/interrupts
}

# snapshot DEVICE... - what looking must not change
snapshot() {
	local device folders=()

	for device; do
		folders+=("$pci/0000:$device")
		printf '%s\n' "$pci/0000:$device/msi_irqs"/*
	done
	od -An -tx1 -v "${folders[@]/%//config}"
	grep -H '' "${folders[@]/%//driver_override}" "${folders[@]/%//enable}"
	readlink "${folders[@]/%//driver}" || true
	sed -n 's/:.*  / /; /(0000:/p' /proc/interrupts
}

# power DEVICE... - what only opening may change: the kernel wakes a device up for it,
# and puts it to sleep again in its own time
power() {
	local folders=("${@/#/$pci/0000:}")

	grep -H '' "${folders[@]/%//power_state}" "${folders[@]/%//power/runtime_status}"
}

# ---- devices that fire

# The e1000e raises vector N when bit 20 + N is written to ICS; kept up by IAME
# (Intel 82574 datasheet, 7.4 and 10.2.4).
e1000e_ready=('write bar0 0xd8 l 0xffffffff' 'write bar0 0xc0 l 0xffffffff'
	'write bar0 0xe4 l 0x000cba98' 'write bar0 0xdc l 0x01f00000'
	'write bar0 0x18 l 0x08000000' 'write bar0 0xd0 l 0x01f00000')

# e1000e_fire VECTOR - the command for it
e1000e_fire() {
	printf 'write bar0 0xc8 l 0x%x\n' $((1 << (20 + $1)))
}

# QEMU, docs/specs/edu.txt: 0x60 raises the bits written, 0x64 acknowledges.
edu_fire='write bar0 0x60 l 1'
edu_ack='write bar0 0x64 l 1'
