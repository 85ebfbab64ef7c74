#include "memory.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "snapshot.h"

/* An address of the module is an index of 32 bits plus a constant of 32: with nothing mapped behind it, none needs a check. */
#define ADDRESSABLE ((8ull << 30) + WASM_PAGE)
#define HUGE_PAGE (2ull << 20)
#define RESERVED (ADDRESSABLE + HUGE_PAGE)

struct piece {
	uint32_t at;
	uint32_t length;
};

static const struct piece pieces[] = { SNAPSHOT_PIECES };

extern const char snapshot_memory[]; /* memory.S */

static char *reserved;

/* For access.h. */
static bool set_segment(const void *base)
{
#ifdef __x86_64__
	enum { SET_GS = 0x1001 }; /* asm/prctl.h */

	return syscall(SYS_arch_prctl, SET_GS, base) == 0;
#else
	(void)base;
	return true;
#endif
}

/* Everything between the pieces is zero. */
static void copy_pieces(char *base)
{
	const char *from = snapshot_memory;

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		memcpy(base + pieces[i].at, from, pieces[i].length);
		from += pieces[i].length;
	}
}

/* Where the heap begins at a huge page, in a reservation that has one to spare. */
static char *align_heap(char *start)
{
	uintptr_t heap = (uintptr_t)start + SNAPSHOT_HEAP;

	return start + (-heap & (HUGE_PAGE - 1));
}

/*
 * Copied and not mapped: whoever uses an object counts its users, so nearly every page of the heap is written to, and one huge page
 * that is filled at once takes less than 450 faults that copy a small one each.
 */
bool load_snapshot(wasm_rt_memory_t *memory)
{
	char *base;

	reserved = mmap(NULL, RESERVED, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (reserved == MAP_FAILED)
		return false;
	base = align_heap(reserved);
	if (mprotect(base, SNAPSHOT_MEMORY_BYTES, PROT_READ | PROT_WRITE) < 0 || !set_segment(base)) {
		unload_snapshot();
		return false;
	}
	madvise(base + SNAPSHOT_HEAP, HUGE_PAGE, MADV_HUGEPAGE);
	copy_pieces(base);
	memory->data = (uint8_t *)base;
	memory->size = SNAPSHOT_MEMORY_BYTES;
	memory->pages = SNAPSHOT_MEMORY_BYTES / WASM_PAGE;
	memory->max_pages = UINT16_MAX;
	return true;
}

void unload_snapshot(void)
{
	set_segment(NULL);
	munmap(reserved, RESERVED);
}

bool grow_memory(wasm_rt_memory_t *memory, uint32_t bytes)
{
	uint64_t pages = ((uint64_t)bytes + WASM_PAGE - 1) / WASM_PAGE;

	if (pages > memory->max_pages)
		return false;
	if (mprotect(memory->data, pages * WASM_PAGE, PROT_READ | PROT_WRITE) < 0)
		return false;
	memory->pages = (uint32_t)pages;
	memory->size = (uint32_t)(pages * WASM_PAGE);
	return true;
}
