// SPDX-License-Identifier: GPL-2.0-or-later
/* Configuration space of any length and content -> capabilities. */
#include <stdlib.h>

#include "irq/msi-cap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the rest of the program relies on; a wrong one is a crash. */
static void expect(int truth)
{
	if (!truth)
		abort();
}

static void check(const struct pci_caps *c)
{
	if (c->has_msi && !c->msi.truncated) {
		expect(c->msi.pos >= 0x40 && c->msi.capable <= 32 && c->msi.allocated <= 32);
		expect(!c->msi.mask_pos || c->msi.maskable);
	}
	if (c->has_msix && !c->msix.truncated) {
		expect(c->msix.pos >= 0x40 && c->msix.count >= 1 && c->msix.count <= 2048);
		expect(c->msix.table_bar < 8 && c->msix.pba_bar < 8);
	}
	expect(c->int_pin <= 0xff && !(c->header_type & 0x80));
	expect((c->problem == CAPS_OK) == !caps_problem_text(c->problem));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct siov_dvsec siov;
	struct pci_caps caps;

	caps_decode(data, size, &caps);
	check(&caps);
	siov_decode(data, size, &siov);
	if (size >= MSIX_ENTRY_SIZE) {
		struct msix_entry entry;

		msix_entry_decode(data + size - MSIX_ENTRY_SIZE, &entry);
	}
	if (size >= 4) {
		uint16_t control = (uint16_t)(data[0] | data[1] << 8), shown;

		shown = msi_guest_control(control, data[2] + data[3] * 16u);
		/* never more than the device has, nothing enabled */
		expect((shown >> 1 & 7) <= (control >> 1 & 7) && !(shown & 0x71));
	}
	return 0;
}
