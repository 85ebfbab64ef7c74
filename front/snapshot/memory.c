#include "memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "snapshot.h"
#include "system.h"

/* An address of the module is an index of 32 bits plus a constant of 32: with nothing mapped behind it, none needs a check. */
#define ADDRESSABLE ((8ull << 30) + WASM_PAGE)

struct piece {
	uint32_t at;
	uint32_t length;
};

static const struct piece pieces[] = { SNAPSHOT_PIECES };

extern const char snapshot_memory[], __executable_start[];

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
static bool map_pieces(char *base, int program)
{
	off_t offset = snapshot_memory - __executable_start;

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		if (mmap(base + pieces[i].at, pieces[i].length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED,
			 program, offset) == MAP_FAILED)
			return false;
		offset += pieces[i].length;
	}
	return true;
}

bool map_snapshot(wasm_rt_memory_t *memory)
{
	int program CLOSED_AT_END = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char *base;

	if (program < 0)
		return false;
	base = mmap(NULL, ADDRESSABLE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED)
		return false;
	if (mprotect(base, SNAPSHOT_MEMORY_BYTES, PROT_READ | PROT_WRITE) < 0 || !map_pieces(base, program) ||
	    !set_segment(base)) {
		munmap(base, ADDRESSABLE);
		return false;
	}
	memory->data = (uint8_t *)base;
	memory->size = SNAPSHOT_MEMORY_BYTES;
	memory->pages = SNAPSHOT_MEMORY_BYTES / WASM_PAGE;
	memory->max_pages = UINT16_MAX;
	return true;
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

void unmap_snapshot(wasm_rt_memory_t *memory)
{
	set_segment(NULL);
	munmap(memory->data, ADDRESSABLE);
}
