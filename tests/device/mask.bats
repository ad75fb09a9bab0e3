#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Vectors held back, by each means, and what is pending meanwhile.

load world

@test "msix by the table: held, pending, sent when it is let go" {
	dev_start "$firing"
	dev_send 'enable msix 3'
	fire_ready
	dev_send 'mask msix 1'
	says by='"table"' masked=[1] pending=[]
	assert_equal "$(state msix 1)" masked
	fired msix '0 1'
	counted msix 0 1
	counted msix 1 0
	dev_send 'mask msix 2'
	says masked=[1,2] pending=[1]
	dev_send 'unmask msix 1'
	says by='"table"' masked=[2]
	counted msix 1 1
	counted msix 2 0
	dev_send 'unmask msix 2'
	counted msix 2 0
	# an edge each again
	fired msix 2
	counted msix 2 1
	dev_stop
}

@test "msix by the eventfd: the device keeps the edge" {
	dev_start "$firing"
	dev_send 'enable msix 2'
	fire_ready
	dev_send 'mask msix 0 --by eventfd'
	says by='"eventfd"' masked=[0]
	assert_equal "$(armed "$firing" msix)" '[1]'
	fired msix '0 1'
	counted msix 1 1
	dev_send 'unmask msix 0'
	says masked=[]
	counted msix 0 1
	dev_stop
}

@test "msi by the eventfd" {
	dev_start "$level"
	dev_send 'enable msi 1' 'mask msi 0 --by eventfd'
	says by='"eventfd"' masked=[0]
	fired msi 0
	settle
	dev_send 'unmask msi 0'
	says masked=[]
	if is_sim; then
		# the simulated one has mask bits, which the kernel sets while no handler is there: the edge waits
		counted msi 0 1
		fired msi 0
		counted msi 0 2
	else
		# edu has none: the edge is lost
		counted msi 0 0
		fired msi 0
		counted msi 0 1
	fi
	dev_stop
}

@test "msi by its mask bits" {
	is_sim || skip 'no device of QEMU 7.2 has per-vector masking of MSI'
	dev_start "$multi"
	dev_send 'enable msi 8' 'mask msi 3,5'
	says by='"bits"' masked=[3,5]
	fired msi '2 3 5'
	counted msi 2 1
	counted msi 3 0
	counted msi 5 0
	dev_send 'mask msi 5'
	says pending=[3,5]
	dev_send 'unmask msi 5'
	counted msi 5 1
	counted msi 3 0
	dev_send 'unmask msi 3'
	counted msi 3 1
	dev_stop
}

@test "a loopback goes around masks" {
	dev_start "$firing"
	dev_send 'enable msix 2' 'mask msix 0' 'trigger msix 0 --count 2'
	counted msix 0 2
	assert_equal "$(state msix 0)" masked
	dev_stop
}

@test "means that an index does not have" {
	dev_start "$firing"
	dev_send 'enable msix 2' 'mask msix 0 --by action'
	error failed '^the (kernel|peer) has no MASK for msix'
	hint '^mask msix 0 --by table$'
	dev_send 'mask msix 0 --by bits'
	error usage '--by bits is for msi, not for msix'
	dev_send 'mask msix 3'
	error failed 'msix 3 not armed'
	hint 'enable msix 3'
	assert_equal "$(state msix 0)" armed
	dev_stop 1
}

@test "one means at a time: a vector that is masked is not masked by another, too" {
	dev_start "$firing"
	dev_send 'enable msix 2'
	fire_ready
	dev_send 'mask msix 0 --by eventfd' 'mask msix 0 --by table'
	error failed '^msix 0 is masked by eventfd already$'
	hint '^unmask msix 0$'
	dev_send 'unmask msix 0-1 --by table'
	error failed '^msix 0 is masked by eventfd, not by table$'
	hint '^unmask msix 0$'
	# whatever the best means were: it is held back
	dev_send 'mask msix 0'
	says by='"eventfd"' masked=[0]
	fired msix 0
	counted msix 0 0
	dev_send 'unmask msix 0'
	says by='"eventfd"' masked=[]
	counted msix 0 1

	dev_send 'mask msix 1' 'mask msix 1 --by eventfd'
	error failed '^msix 1 is masked by table already$'
	dev_send 'mask msix 0-1'
	says by='"table"' masked=[0,1]
	dev_send 'unmask msix 0-1'
	says masked=[]
	assert_equal "$(armed "$firing" msix)" '[0,1]'
	fired msix '0 1'
	counted msix 0 2
	counted msix 1 1
	dev_stop 1
}

@test "all: every armed vector, or one that is masked" {
	local word
	dev_start "$firing"
	for word in mask unmask trigger; do
		dev_send "$word msix all"
		error failed '^no msix vector is armed$'
		hint '^enable msix COUNT$'
	done
	dev_send 'enable msix 3' 'mask msix 1 --by eventfd' 'mask msix all'
	says vectors=[0,1,2] masked=[0,1,2]
	dev_send 'unmask msix all'
	says vectors=[0,1,2] masked=[]
	assert_equal "$(armed "$firing" msix)" '[0,1,2]'
	dev_send 'mask msix all --by eventfd' 'unmask msix all'
	says vectors=[0,1,2] masked=[]
	assert_equal "$(armed "$firing" msix)" '[0,1,2]'
	dev_send 'trigger msix all' 'wait msix all --timeout 5s'
	says vectors=[0,1,2] missing=[]
	dev_stop 1
}

@test "growing and shrinking keeps other masks" {
	dynamic || skip 'MSI-X is NORESIZE before Linux 6.5'
	dev_start "$firing"
	dev_send 'enable msix 2'
	fire_ready
	dev_send 'mask msix 0' 'resize msix 5'
	assert_equal "$(state msix 0)" masked
	fired msix '0 4'
	counted msix 4 1
	counted msix 0 0
	dev_send 'resize msix 3' 'unmask msix 0'
	counted msix 0 1
	dev_stop
}

@test "a growth beside a masked vector is one call, and leaves it masked" {
	dynamic || skip 'MSI-X is NORESIZE before Linux 6.5'
	local way
	dev_start "$firing" --trace
	for way in table eventfd; do
		dev_send 'enable msix 3' "mask msix 1 --by $way" 'resize msix 5'
		says calls=1 added=[3,4] masked=[1]
		dev_says 'SET_IRQS\(index=msix start=3 count=2 .*\) = 0'
		assert_equal "$(state msix 1)" masked
		fire_ready
		fired msix '1 4'
		dev_send 'wait msix 4 --timeout 5s'
		says missing=[]
		counted msix 1 0
		dev_send 'enable msix 0-4'
		says calls=0 masked=[1]
		dev_send 'unmask msix 1'
		says by="\"$way\"" masked=[]
		counted msix 1 1
		# a new life, with new counts
		dev_stop
		dev_start "$firing" --trace
	done
	dev_stop
}

@test "a masked vector does not fire while its index is rebuilt" {
	local way
	for way in table eventfd; do
		dev_start "$firing"
		dev_send 'enable msix 4'
		fire_ready
		dev_send "mask msix 1 --by $way"
		fired msix 1
		settle
		dev_send 'resize msix 2 --release'
		says rebuilt=true armed=[0] masked=[1] removed=[2,3] allocated=2
		agree "$firing" msix
		[[ $way != table ]] || dev_says '^msix: masked by the eventfd now, .*: 1$'
		counted msix 1 0
		assert_equal "$(state msix 1)" masked
		dev_send 'trigger msix 1'
		error failed '^msix 1 not armed'
		hint '^unmask msix 1$'
		fired msix '0 1'
		counted msix 0 1
		counted msix 1 0
		# what came meanwhile was kept by the device
		dev_send 'unmask msix 1'
		says by='"eventfd"' masked=[]
		counted msix 1 1
		dev_stop 1
	done
}

@test "a masked MSI vector does not fire while its index is rebuilt" {
	is_sim || skip 'no device of QEMU 7.2 has per-vector masking of MSI'
	local way
	for way in bits eventfd; do
		dev_start "$multi"
		dev_send 'enable msi 4' "mask msi 3 --by $way"
		fired msi 3
		dev_send 'resize msi 8 --rebuild'
		says rebuilt=true armed=[0,1,2,4,5,6,7] masked=[3] allocated=8
		counted msi 3 0
		assert_equal "$(state msi 3)" masked
		fired msi '2 3'
		counted msi 2 1
		counted msi 3 0
		dev_send 'unmask msi 3'
		counted msi 3 1
		dev_stop
	done
}

@test "MSI masked by the eventfd: a rebuild leaves it masked" {
	remapped || skip 'one MSI vector only without remapping'
	dev_start "$multi"
	dev_send 'enable msi 4' 'mask msi 1 --by eventfd' 'resize msi 8 --rebuild'
	says rebuilt=true armed=[0,2,3,4,5,6,7] masked=[1] added=[4,5,6,7]
	agree "$multi" msi
	dev_send 'unmask msi 1' 'resize msi 8'
	says calls=0 masked=[] armed="$(upto 8)"
	agree "$multi" msi
	dev_stop
}

@test "err, masked by having no eventfd, stays so until it is unmasked or off" {
	dev_start "$firing"
	dev_send 'enable err 1' 'mask err 0' 'enable err 1'
	says armed=[]
	dev_send 'unmask err 0'
	says masked=[]
	dev_send 'mask err 0' 'disable err' 'enable err 1'
	says armed=[0]
	dev_send 'enable err none'
	error usage 'only while it has an eventfd'
	dev_stop 2
}

@test "the end of a session unmasks first, then disables" {
	# the vector control of an entry: a store into a mapped table, a message to a peer that has it in bar2
	local control='store\(table vector=[0-9] control=0x0\)|WRITE\(bar2 offset=0x[0-9]?c size=4 value=0x00000000\)'
	local lines
	dev_start "$firing" --trace
	dev_send 'enable msix 5' 'mask msix 0-2' 'mask msix 3 --by eventfd'
	dev_stop
	lines=$(grep -E "$control"'|SET_IRQS\(index=msix start=0 count=0 ' "$dev_dir/err")
	assert_equal "$(sed -E -e 's/offset=0xc/offset=0x0c/' -e 's/.*(vector=|offset=0x|count=)([0-9]?).*/\2/' <<<"$lines")" $'0\n1\n2\n0'
}

@test "a reset lets go of masks, vectors stay armed" {
	dev_start "$firing"
	dev_send 'enable msix 2' 'mask msix 0' reset
	lacks error
	assert_equal "$(state msix 0)" armed
	# the registers of the e1000e are reset too, bus mastering may be
	dev_send 'write config 0x4 w 0x6'
	fire_ready
	fired msix '0 1'
	counted msix 0 1
	counted msix 1 1
	dev_stop
}

@test "down to none: nothing is masked any more" {
	local option
	for option in '' ' --release'; do
		dev_start "$firing"
		dev_send 'enable msix 3' 'mask msix 0' 'mask msix 1 --by eventfd' "resize msix 0$option"
		says enabled=true armed=[] masked=[] removed=[0,2]
		dev_send 'enable msix 1'
		says armed=[0] masked=[]
		agree "$firing" msix
		dev_stop
	done
}

@test "a vector that is released and armed again is no longer masked" {
	dev_start "$firing"
	dev_send 'enable msix 2' 'mask msix 1' 'resize msix 1' 'resize msix 2'
	assert_equal "$(state msix 1)" armed
	fire_ready
	fired msix 1
	counted msix 1 1
	dev_stop
}
