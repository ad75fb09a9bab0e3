#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bind, unbind: drivers change hands, and only when nobody is hurt.

load helpers

# Files before this one have left devices with vfio-pci.
setup() {
	take "$nvme" "$e1000e" "$edu" 00:08.0 00:08.2
}

teardown() {
	dev_clean
	take "$nvme" "$e1000e" "$edu" 00:08.0 00:08.2
	modprobe -r nvme e1000e || true
	rm -rf /run/msictl/former
}

has_driver() {
	[[ $(driver_of "$1") == "$2" ]]
}

# nvme is probed in the background
load_nvme() {
	modprobe nvme
	until_true has_driver "$nvme" nvme
}

@test "bind, and unbind gives back the driver that was there" {
	load_nvme
	works --json bind "$nvme"
	says device='"0000:04:00.0"' from='"nvme"' driver='"vfio-pci"' changed=true group="$(group_of "$nvme")"
	assert_equal "$(driver_of "$nvme")" vfio-pci
	[[ -c /dev/vfio/$(group_of "$nvme") ]]
	assert_equal "$(cat "$(sys "$nvme" driver_override)")" vfio-pci

	works bind "$nvme"
	assert_output --partial 'vfio-pci already'

	works --json unbind "$nvme"
	says from='"vfio-pci"' driver='"nvme"' changed=true
	assert_equal "$(driver_of "$nvme")" nvme
	assert_equal "$(cat "$(sys "$nvme" driver_override)")" '(null)'
	[[ ! -e /run/msictl/former/0000:$nvme ]]

	works --json unbind "$nvme"
	says driver='"nvme"' changed=false
}

@test "a function that had no driver gets none" {
	works --json bind "$edu"
	says from=null driver='"vfio-pci"'
	works --json unbind "$edu"
	says driver=null
	assert_equal "$(driver_of "$edu")" ''
}

@test "a former driver that is not loaded: said, and the next unbind gives it back" {
	load_nvme
	works bind "$nvme"
	modprobe -r nvme
	refused 1 'nvme did not take it back' unbind "$nvme"
	assert_equal "$(driver_of "$nvme")" ''
	load_nvme
	works unbind "$nvme"
	assert_equal "$(driver_of "$nvme")" nvme
}

@test "what is remembered is not believed blindly" {
	load_nvme
	works bind "$nvme"
	echo '../../../../tmp/x' >"/run/msictl/former/0000:$nvme"
	works unbind "$nvme"
	noted 'not to be trusted'
	assert_equal "$(driver_of "$nvme")" nvme
}

@test "/run without room: 1, and the function stays with its driver" {
	load_nvme
	# shellcheck disable=SC2016
	run --separate-stderr -1 unshare --mount sh -c 'mount -t tmpfs -o size=4k,nr_inodes=1 none /run && exec "$@"' - \
		"$MSICTL" bind "$nvme"
	one_sentence 'the former driver cannot be noted in /run/msictl/former \(ENOSPC\)$'
	assert_equal "$(driver_of "$nvme")" nvme
	assert_equal "$(cat "$(sys "$nvme" driver_override)")" '(null)'
}

@test "an interface that is up: refused, unless forced" {
	local interface

	modprobe e1000e
	interface=$(ls "$(sys "$e1000e" net)")
	ip link set "$interface" up
	refused 5 "interface is up: $interface" bind "$e1000e"
	hinted "ip link set down dev $interface"
	assert_equal "$(driver_of "$e1000e")" e1000e
	assert_equal "$(cat "$(sys "$e1000e" driver_override)")" '(null)'
	works bind --force "$e1000e"
	assert_equal "$(driver_of "$e1000e")" vfio-pci
	works unbind "$e1000e"
	assert_equal "$(driver_of "$e1000e")" e1000e
}

@test "a kernel without VFIO groups: 1, the missing door is named, and the function stays with its driver" {
	local script

	load_nvme
	# such a kernel has the class vfio-dev, and no class vfio
	# shellcheck disable=SC2016
	script='mount -t tmpfs none /sys/class && mkdir -p /sys/class/vfio-dev /sys/class/iommu/dmar0 &&
		mount -t tmpfs none /dev/vfio && exec "$@"'
	run --separate-stderr -1 unshare --mount sh -c "$script" - "$MSICTL" bind "$nvme"
	one_sentence 'offers no VFIO groups'
	hinted 'CONFIG_VFIO_GROUP=y'
	assert_equal "$(driver_of "$nvme")" nvme
}

in_another_namespace() {
	[[ $(readlink "/proc/$1/ns/net") != "$(readlink /proc/self/ns/net)" ]]
}

@test "an interface that is up in another network namespace: refused, unless forced" {
	local interface pid

	modprobe e1000e
	interface=$(ls "$(sys "$e1000e" net)")
	unshare --net sleep 600 3>&- &
	pid=$!
	until_true in_another_namespace "$pid"
	ip link set "$interface" netns "$pid"
	# /sys shows nothing of the interface here
	assert_equal "$(ls "$(sys "$e1000e" net)")" ''
	works --dry-run bind "$e1000e"
	nsenter --net="/proc/$pid/ns/net" ip link set "$interface" name ctr0 up
	refused 5 "network interface ctr0 is up in another network namespace \(/proc/$pid/ns/net\)" bind "$e1000e"
	assert_equal "$(driver_of "$e1000e")" e1000e
	assert_equal "$(cat "$(sys "$e1000e" driver_override)")" '(null)'
	# the hint helps
	hinted 'nsenter --net='
	sh -c "$(sed -n 's/^hint: \(.*\)   (.*/\1/p' <<<"$stderr")"
	works --dry-run bind "$e1000e"

	# a namespace with a name, that no process is in
	ip netns add blue
	nsenter --net="/proc/$pid/ns/net" ip link set ctr0 netns blue
	ip -n blue link set ctr0 up
	refused 5 'ctr0 is up in another network namespace \(/(var/)?run/netns/blue\)' bind "$e1000e"
	kill "$pid"
	works bind --force "$e1000e"
	assert_equal "$(driver_of "$e1000e")" vfio-pci
	ip netns del blue
	works unbind "$e1000e"
}

@test "a mounted file system: refused" {
	refused 5 'mounted on /share' bind 00:12.0
	assert_equal "$(driver_of 00:12.0)" virtio-pci
}

@test "a disk that the kernel or a process has for itself: refused" {
	local claimant disk

	unplug_nvme
	plug_nvme drive=disk0
	load_nvme
	until_true compgen -G '/dev/nvme*n1'
	disk=$(compgen -G '/dev/nvme*n1')
	works --dry-run bind "$nvme"
	# as a ZFS pool's: no file of /sys or /proc tells of it
	perl -MFcntl -e 'sysopen(D, shift, O_RDONLY | O_EXCL) or die; $| = 1; print "has it\n"; sleep 600' "$disk" \
		>"$BATS_TEST_TMPDIR/claimed" 3>&- &
	claimant=$!
	until_true grep -q 'has it' "$BATS_TEST_TMPDIR/claimed"
	refused 5 "has claimed its disk $disk" bind "$nvme"
	hinted "fuser -v $disk   \(bind $nvme --force"
	assert_equal "$(driver_of "$nvme")" nvme
	works bind --force "$nvme"
	kill "$claimant"
	works unbind "$nvme"
	unplug_nvme
	plug_nvme
}

@test "a bridge, and what is not there" {
	refused 1 'bridge' bind 00:01.0
	refused 1 'bridge' bind --force 00:01.0
	refused 3 'no PCI function' bind 77:00.0
	refused 2 'no PCI address' bind 1:2:3
}

@test "a dry run tells each write and makes none" {
	load_nvme
	works --dry-run bind "$nvme"
	assert_output - <<-END
		would: write(/run/msictl/former/0000:04:00.0: nvme)
		would: write(/sys/bus/pci/devices/0000:04:00.0/driver_override: vfio-pci)
		would: write(/sys/bus/pci/devices/0000:04:00.0/driver/unbind: 0000:04:00.0)
		would: write(/sys/bus/pci/drivers_probe: 0000:04:00.0)
	END
	assert_equal "$(driver_of "$nvme")" nvme
	[[ ! -e /run/msictl/former/0000:$nvme ]]
}

@test "another member of the group is named" {
	works bind 00:08.0
	noted '00:08\.1 has virtio-pci'
	works bind 00:08.2
}

@test "unbind while somebody holds it: exit 5, naming him" {
	give "$edu"
	dev_start "$edu"
	dev_send 'enable msi 1'
	refused 5 "held by pid $dev_pid \(msictl\)" unbind "$edu"
	assert_equal "$(driver_of "$edu")" vfio-pci
	assert_equal "$(handlers "$edu" msi | wc -l)" 1
	dev_stop
	works unbind "$edu"
}

# as_nobody FILE COMMAND... - in the background, as a user without rights; waits until
# it has written into FILE
as_nobody() {
	: >"$1"
	setpriv --reuid 65534 --regid 65534 --clear-groups "${@:2}" >"$1" 2>&1 3>&- &
	pretenders+=($!)
	until_true grep -q ready "$1" || fail "$(<"$1")"
}

@test "a user without rights cannot pass for one who holds the group" {
	local group script pretenders=()

	give "$edu"
	group=$(group_of "$edu")
	# shellcheck disable=SC2016
	script='mount -t tmpfs none /dev && mkdir /dev/vfio && exec 7>"/dev/vfio/$0" && echo ready && exec sleep 600'
	as_nobody "$BATS_TEST_TMPDIR/file" unshare --user --map-root-user --mount sh -c "$script" "$group"
	# O_PATH
	script='sysopen(D, shift, 010000000) or die $!; $| = 1; print "ready\n"; sleep 600'
	as_nobody "$BATS_TEST_TMPDIR/path" perl -e "$script" "/dev/vfio/$group"
	assert_equal "$(readlink "/proc/${pretenders[0]}/fd/7")" "/dev/vfio/$group"
	readlink "/proc/${pretenders[1]}/fd"/* | grep -Fqx "/dev/vfio/$group"
	works --json counters "$edu"
	says posted_possible=false held_by=null
	works --json unbind "$edu"
	says driver=null changed=true
	kill "${pretenders[@]}"
}

@test "not root" {
	give "$edu"
	chmod a+rx "${MSICTL%/*}" || true
	run --separate-stderr -4 setpriv --reuid 65534 --regid 65534 --clear-groups "$MSICTL" unbind "$edu"
	one_sentence 'EACCES'
	run --separate-stderr -4 setpriv --reuid 65534 --regid 65534 --clear-groups "$MSICTL" bind "$nvme"
	one_sentence 'EACCES|EPERM'
	assert_equal "$(driver_of "$edu")" vfio-pci
	assert_equal "$(driver_of "$nvme")" ''
}
