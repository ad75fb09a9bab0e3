// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Configuration space of the simulated function. What is shown is what the
 * hardware has, as the file config in sysfs shows it; what can be written is
 * what vfio-pci lets through, and MSI-X's Function Mask besides.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "base/util.h"
#include "sim/internal.h"

/* "SM" and "XI": the PCI ID Repository (pci-ids.ucw.cz) knows no such vendor. */
#define VENDOR_ID 0x4d53
#define DEVICE_ID 0x4958

/* Where the capabilities are; PCI Express's is 60 bytes long. */
#define PM_POS	 0x40u
#define MSI_POS	 0x50u
#define EXP_POS	 0x70u
#define MSIX_POS 0xb0u

#define MSI_ADDRESS (MSI_POS + PCI_MSI_ADDRESS_LO)
#define MSI_CONTROL (MSI_POS + PCI_MSI_FLAGS)
#define MSI_MASK    (MSI_POS + PCI_MSI_MASK_64)
#define MSI_PENDING (MSI_POS + PCI_MSI_PENDING_64)

#define COMMAND_WRITABLE (PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE)
#define D3HOT		 3

struct field {
	uint16_t at;
	uint8_t width;
	uint32_t value, writable;
};

static uint32_t get(const struct sim_device *d, unsigned int at, unsigned int width)
{
	uint32_t value = 0;

	for (unsigned int i = 0; i < width; i++)
		value |= (uint32_t)d->config[at + i] << (8 * i);
	return value;
}

static void set(struct sim_device *d, unsigned int at, unsigned int width, uint32_t value)
{
	for (unsigned int i = 0; i < width; i++)
		d->config[at + i] = (uint8_t)(value >> (8 * i));
}

static void put_fields(struct sim_device *d, unsigned int base, const struct field *field, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		set(d, base + field[i].at, field[i].width, field[i].value);
		for (unsigned int j = 0; j < field[i].width; j++)
			d->writable[base + field[i].at + j] =
				(uint8_t)(field[i].writable >> (8 * j));
	}
}

/* A capability in front of those that are there. */
static void put_cap(struct sim_device *d, unsigned int pos, uint8_t id, const struct field *field,
		    size_t n)
{
	put_fields(d, pos, field, n);
	d->config[pos + PCI_CAP_LIST_ID] = id;
	d->config[pos + PCI_CAP_LIST_NEXT] = d->config[PCI_CAPABILITY_LIST];
	d->config[PCI_CAPABILITY_LIST] = (uint8_t)pos;
}

static void put_header(struct sim_device *d)
{
	bool set_up = !d->spec.client_enable;
	const struct field header[] = {
		{ PCI_VENDOR_ID, 2, VENDOR_ID, 0 },
		{ PCI_DEVICE_ID, 2, DEVICE_ID, 0 },
		{ PCI_COMMAND, 2, set_up ? PCI_COMMAND_MEMORY : 0, COMMAND_WRITABLE },
		{ PCI_STATUS, 2, PCI_STATUS_CAP_LIST, 0 },
		{ PCI_CLASS_REVISION, 4, 0xff000001,
		  0 }, /* no class of those defined; revision 1 */
		{ PCI_CACHE_LINE_SIZE, 1, 0, 0xff },
		{ PCI_BASE_ADDRESS_0, 4, set_up ? 0xe0010000 : 0, ~(SIM_REGISTERS_SIZE - 1) },
		{ PCI_BASE_ADDRESS_2, 4, d->spec.msix && set_up ? 0xe0000000 : 0,
		  d->spec.msix ? ~(SIM_TABLE_BAR_SIZE - 1) : 0 },
		{ PCI_SUBSYSTEM_VENDOR_ID, 2, VENDOR_ID, 0 },
		{ PCI_SUBSYSTEM_ID, 2, DEVICE_ID, 0 },
		{ PCI_INTERRUPT_LINE, 1, 0, 0xff },
		{ PCI_INTERRUPT_PIN, 1, d->spec.no_intx ? 0 : 1, 0 },
	};

	put_fields(d, 0, header, ARRAY_SIZE(header));
}

static void put_msix(struct sim_device *d)
{
	const uint32_t writable = PCI_MSIX_FLAGS_MASKALL |
				  (d->spec.client_enable ? PCI_MSIX_FLAGS_ENABLE : 0);
	const struct field cap[] = {
		{ PCI_MSIX_FLAGS, 2, d->spec.msix - 1, writable },
		{ PCI_MSIX_TABLE, 4, SIM_TABLE_BAR, 0 },
		{ PCI_MSIX_PBA, 4, SIM_PBA_OFFSET | SIM_TABLE_BAR, 0 },
	};

	put_cap(d, MSIX_POS, PCI_CAP_ID_MSIX, cap, ARRAY_SIZE(cap));
}

static bool msi_maskable(const struct sim_device *d)
{
	return d->spec.msi && !d->spec.nomask;
}

static uint32_t msi_bits(const struct sim_device *d)
{
	return d->spec.msi >= 32 ? UINT32_MAX : (1u << d->spec.msi) - 1;
}

/* Address and data are the kernel's: vfio-pci keeps what a user writes there to itself. */
static void put_msi(struct sim_device *d)
{
	uint32_t capable = (uint32_t)__builtin_ctz(d->spec.msi) << 1;
	const struct field cap[] = {
		{ PCI_MSI_FLAGS, 2,
		  PCI_MSI_FLAGS_64BIT | capable | (d->spec.nomask ? 0 : PCI_MSI_FLAGS_MASKBIT),
		  PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE },
		{ PCI_MSI_MASK_64, 4, 0, msi_bits(d) },
	};

	put_cap(d, MSI_POS, PCI_CAP_ID_MSI, cap, d->spec.nomask ? 1 : ARRAY_SIZE(cap));
}

static void put_exp(struct sim_device *d)
{
	static const struct field cap[] = {
		{ PCI_EXP_FLAGS, 2, 2 | PCI_EXP_TYPE_ENDPOINT << 4, 0 },
		{ PCI_EXP_DEVCAP, 4, PCI_EXP_DEVCAP_RBER | PCI_EXP_DEVCAP_FLR, 0 },
		{ PCI_EXP_DEVCTL, 2, 0, 0xffff },
		{ PCI_EXP_LNKCAP, 4, PCI_EXP_LNKCAP_SLS_2_5GB | 1 << 4, 0 },
		{ PCI_EXP_LNKSTA, 2, PCI_EXP_LNKSTA_CLS_2_5GB | PCI_EXP_LNKSTA_NLW_X1, 0 },
	};

	put_cap(d, EXP_POS, PCI_CAP_ID_EXP, cap, ARRAY_SIZE(cap));
}

static void put_pm(struct sim_device *d)
{
	static const struct field cap[] = {
		{ PCI_PM_PMC, 2, 3, 0 }, /* version 1.2, no D1, no D2 */
		{ PCI_PM_CTRL, 2, PCI_PM_CTRL_NO_SOFT_RESET, PCI_PM_CTRL_STATE_MASK },
	};

	put_cap(d, PM_POS, PCI_CAP_ID_PM, cap, ARRAY_SIZE(cap));
}

void sim_config_init(struct sim_device *d)
{
	memset(d->config, 0, sizeof(d->config));
	memset(d->writable, 0, sizeof(d->writable));
	put_header(d);
	if (d->spec.msix)
		put_msix(d);
	put_exp(d);
	if (d->spec.msi)
		put_msi(d);
	put_pm(d);
}

bool sim_bus_master(const struct sim_device *d)
{
	return get(d, PCI_COMMAND, 2) & PCI_COMMAND_MASTER;
}

bool sim_intx_disabled(const struct sim_device *d)
{
	return get(d, PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE;
}

bool sim_in_d0(const struct sim_device *d)
{
	return (get(d, PM_POS + PCI_PM_CTRL, 2) & PCI_PM_CTRL_STATE_MASK) == 0;
}

bool sim_memory_on(const struct sim_device *d)
{
	return get(d, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY && sim_in_d0(d);
}

bool sim_bar_mapped(const struct sim_device *d, unsigned int bar)
{
	return sim_memory_on(d) &&
	       get(d, PCI_BASE_ADDRESS_0 + 4 * bar, 4) & (uint32_t)PCI_BASE_ADDRESS_MEM_MASK;
}

/*
 * PCI Local Bus 3.0, section 6.2.3: the bit tells the line's state whatever Interrupt Disable says.
 */
void sim_show_intx(struct sim_device *d)
{
	uint32_t status = get(d, PCI_STATUS, 2) & ~(uint32_t)PCI_STATUS_INTERRUPT;

	set(d, PCI_STATUS, 2, status | (d->asserted ? PCI_STATUS_INTERRUPT : 0));
}

/*
 * Remappable format (Intel VT-d, section 5.1.2.2), a handle for the block and a subhandle per
 * vector.
 */
void sim_msi_widen(struct sim_device *d, unsigned int n)
{
	uint32_t control = get(d, MSI_CONTROL, 2) & ~(uint32_t)PCI_MSI_FLAGS_QSIZE;

	d->msi_max = n > 1 ? 32u - (unsigned int)__builtin_clz(n - 1) : 0;
	if (d->spec.client_enable)
		return;
	set(d, MSI_CONTROL, 2, control | d->msi_max << 4);
}

void sim_msi_enable(struct sim_device *d, unsigned int n)
{
	sim_msi_widen(d, n);
	if (d->spec.client_enable)
		return;
	set(d, MSI_ADDRESS, 4, 0xfee00018 | 0x20 << 5);
	if (msi_maskable(d))
		set(d, MSI_MASK, 4, msi_bits(d));
	set(d, MSI_CONTROL, 2, get(d, MSI_CONTROL, 2) | PCI_MSI_FLAGS_ENABLE);
}

/* The kernel's pci_msi_shutdown() leaves the vectors unmasked, address and MME as they were. */
void sim_msi_disable(struct sim_device *d)
{
	if (d->spec.client_enable)
		return;
	set(d, MSI_CONTROL, 2, get(d, MSI_CONTROL, 2) & ~(uint32_t)PCI_MSI_FLAGS_ENABLE);
	if (msi_maskable(d))
		set(d, MSI_MASK, 4, 0);
}

bool sim_msi_reaches(const struct sim_device *d, unsigned int v)
{
	uint32_t control = get(d, MSI_CONTROL, 2);

	return control & PCI_MSI_FLAGS_ENABLE && v < 1u << ((control & PCI_MSI_FLAGS_QSIZE) >> 4);
}

bool sim_msi_masked(const struct sim_device *d, unsigned int v)
{
	return msi_maskable(d) && get(d, MSI_MASK, 4) >> v & 1;
}

static void set_bit(struct sim_device *d, unsigned int at, unsigned int v, bool on)
{
	uint32_t bits = get(d, at, 4) & ~(1u << v);

	if (msi_maskable(d))
		set(d, at, 4, bits | (uint32_t)on << v);
}

void sim_msi_set_mask(struct sim_device *d, unsigned int v, bool mask)
{
	set_bit(d, MSI_MASK, v, mask);
}

void sim_msi_set_pending(struct sim_device *d, unsigned int v, bool pending)
{
	set_bit(d, MSI_PENDING, v, pending);
}

uint32_t sim_msi_deliverable(const struct sim_device *d)
{
	return msi_maskable(d) ? get(d, MSI_PENDING, 4) & ~get(d, MSI_MASK, 4) : 0;
}

void sim_msix_set_enable(struct sim_device *d, bool enable)
{
	uint32_t control = get(d, MSIX_POS + PCI_MSIX_FLAGS, 2) & ~(uint32_t)PCI_MSIX_FLAGS_ENABLE;

	if (d->spec.client_enable)
		return;
	set(d, MSIX_POS + PCI_MSIX_FLAGS, 2, control | (enable ? PCI_MSIX_FLAGS_ENABLE : 0));
	for (unsigned int v = 0; v < d->spec.msix; v++)
		sim_entry_clear(d, v);
}

bool sim_enable_clear(const struct sim_device *d)
{
	if (d->on == IRQ_MSIX)
		return !(get(d, MSIX_POS + PCI_MSIX_FLAGS, 2) & PCI_MSIX_FLAGS_ENABLE);
	return d->on == IRQ_MSI && !(get(d, MSI_CONTROL, 2) & PCI_MSI_FLAGS_ENABLE);
}

bool sim_msix_function_mask(const struct sim_device *d)
{
	return get(d, MSIX_POS + PCI_MSIX_FLAGS, 2) & PCI_MSIX_FLAGS_MASKALL;
}

/* Attached vectors are unmasked by the kernel's pci_restore_msi_state(), others stay masked. */
void sim_config_reset(struct sim_device *d)
{
	/*
	 * Seen of QEMU 7.2's server, with e1000e and nvme: a reset leaves config space and the
	 * masks alone.
	 */
	if (d->spec.client_enable)
		return;
	set(d, PM_POS + PCI_PM_CTRL, 2, PCI_PM_CTRL_NO_SOFT_RESET);
	if (d->spec.msix)
		set(d, MSIX_POS + PCI_MSIX_FLAGS, 2,
		    get(d, MSIX_POS + PCI_MSIX_FLAGS, 2) & ~(uint32_t)PCI_MSIX_FLAGS_MASKALL);
	if (!msi_maskable(d))
		return;
	set(d, MSI_PENDING, 4, 0);
	set(d, MSI_MASK, 4, 0);
	for (unsigned int v = 0; d->on == IRQ_MSI && v < d->spec.msi; v++)
		sim_msi_set_mask(d, v, d->vector[v].fd < 0);
}

/*
 * Enabling is SET_IRQS' business, and no more vectors than it gave out: the kernel's
 * vfio_msi_config_write().
 */
static void settle_msi(struct sim_device *d)
{
	uint32_t control = get(d, MSI_CONTROL, 2);

	if (d->spec.client_enable)
		return;
	if (d->on != IRQ_MSI)
		control &= ~(uint32_t)PCI_MSI_FLAGS_ENABLE;
	if ((control & PCI_MSI_FLAGS_QSIZE) >> 4 > d->msi_max)
		control = (control & ~(uint32_t)PCI_MSI_FLAGS_QSIZE) | d->msi_max << 4;
	set(d, MSI_CONTROL, 2, control);
}

/* A state that is not implemented is not entered (PCI Power Management 1.2, section 3.2.4). */
static void settle_power(struct sim_device *d, uint32_t before)
{
	uint32_t state = get(d, PM_POS + PCI_PM_CTRL, 2) & PCI_PM_CTRL_STATE_MASK;

	if (state != 0 && state != D3HOT)
		set(d, PM_POS + PCI_PM_CTRL, 2, before);
}

/* The bit starts a reset and reads 0 (PCI Express Base 4.0, section 7.5.3.4). */
static bool take_flr(struct sim_device *d)
{
	uint32_t control = get(d, EXP_POS + PCI_EXP_DEVCTL, 2);

	set(d, EXP_POS + PCI_EXP_DEVCTL, 2, control & ~(uint32_t)PCI_EXP_DEVCTL_BCR_FLR);
	return control & PCI_EXP_DEVCTL_BCR_FLR;
}

ssize_t sim_config_read(const struct sim_device *d, void *buf, size_t n, uint64_t offset)
{
	if (offset > SIM_CONFIG_SIZE || n > SIM_CONFIG_SIZE - offset)
		return -EFAULT;
	memcpy(buf, d->config + offset, n);
	return (ssize_t)n;
}

ssize_t sim_config_write(struct sim_device *d, const void *buf, size_t n, uint64_t offset,
			 struct sim_config_change *c)
{
	uint32_t power = get(d, PM_POS + PCI_PM_CTRL, 2);
	bool before = sim_intx_disabled(d), now;
	const uint8_t *from = buf;

	if (offset > SIM_CONFIG_SIZE || n > SIM_CONFIG_SIZE - offset)
		return -EFAULT;
	for (size_t i = 0; i < n; i++) {
		uint8_t *to = &d->config[offset + i], mask = d->writable[offset + i];

		*to = (uint8_t)((*to & ~mask) | (from[i] & mask));
	}
	settle_power(d, power);
	if (d->spec.msi)
		settle_msi(d);
	now = sim_intx_disabled(d);
	*c = (struct sim_config_change){ .intx_off = now && !before,
					 .intx_on = before && !now,
					 .reset = take_flr(d) };
	return (ssize_t)n;
}
