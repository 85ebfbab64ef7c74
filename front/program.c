/*
 * dist/gantry is two programs in one file: this one, and behind it, from the next page on, the full program on Bun.
 * execve(2) can start only the first, so the second is mapped here as the kernel would map it, its dynamic linker
 * too, and entered with a stack like the one that the kernel made. An execve of a copy would cost a copy of 110 MB.
 */
#include "program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096u
#define MAX_SEGMENTS 32
#define CANNOT_EXECUTE 126

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

struct image {
	int fd;
	uint64_t file_offset; /* of its ELF header within the file */
	Elf64_Ehdr header;
	Elf64_Phdr segments[MAX_SEGMENTS];
	uintptr_t bias; /* added to its virtual addresses */
};

static _Noreturn void fail(const char *what)
{
	dprintf(STDERR_FILENO, "gantry: cannot load the program: %s: %s\n", what, strerror(errno));
	_exit(CANNOT_EXECUTE);
}

static uintptr_t page_down(uintptr_t address)
{
	return address & ~(uintptr_t)(PAGE - 1);
}

static uintptr_t page_up(uintptr_t address)
{
	return page_down(address + PAGE - 1);
}

static void read_exactly(int fd, void *into, size_t length, uint64_t offset, const char *what)
{
	ssize_t got = pread(fd, into, length, (off_t)offset);

	if (got >= 0 && (size_t)got != length)
		errno = ENOEXEC;
	if (got < 0 || (size_t)got != length)
		fail(what);
}

static void read_image(struct image *image, const char *what)
{
	Elf64_Ehdr *header = &image->header;

	read_exactly(image->fd, header, sizeof(*header), image->file_offset, what);
	if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_phnum > MAX_SEGMENTS ||
	    header->e_phentsize != sizeof(Elf64_Phdr)) {
		errno = ENOEXEC;
		fail(what);
	}
	read_exactly(image->fd, image->segments, header->e_phnum * sizeof(Elf64_Phdr),
		     image->file_offset + header->e_phoff, what);
}

static const Elf64_Phdr *find_segment(const struct image *image, uint32_t type)
{
	for (unsigned i = 0; i < image->header.e_phnum; i++) {
		if (image->segments[i].p_type == type)
			return &image->segments[i];
	}
	return NULL;
}

/* A position-independent image goes where there is room for all of it; any other has its addresses. */
static void place_image(struct image *image, const char *what)
{
	uintptr_t low = UINTPTR_MAX, high = 0;
	void *room;

	image->bias = 0;
	if (image->header.e_type != ET_DYN)
		return;
	for (unsigned i = 0; i < image->header.e_phnum; i++) {
		const Elf64_Phdr *segment = &image->segments[i];

		if (segment->p_type != PT_LOAD)
			continue;
		if (page_down(segment->p_vaddr) < low)
			low = page_down(segment->p_vaddr);
		if (page_up(segment->p_vaddr + segment->p_memsz) > high)
			high = page_up(segment->p_vaddr + segment->p_memsz);
	}
	room = mmap(NULL, high - low, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (room == MAP_FAILED)
		fail(what);
	image->bias = (uintptr_t)room - low;
}

static void map_segment(const struct image *image, const Elf64_Phdr *segment, const char *what)
{
	uintptr_t start = image->bias + page_down(segment->p_vaddr);
	uintptr_t file_end = image->bias + segment->p_vaddr + segment->p_filesz;
	uintptr_t end = page_up(image->bias + segment->p_vaddr + segment->p_memsz);
	uint64_t offset = image->file_offset + page_down(segment->p_offset);
	/* Its own room was reserved; elsewhere nothing of this program may be overwritten. */
	int fixed = image->bias ? MAP_FIXED : MAP_FIXED_NOREPLACE;
	int protection = (segment->p_flags & PF_R ? PROT_READ : 0) | (segment->p_flags & PF_W ? PROT_WRITE : 0) |
			 (segment->p_flags & PF_X ? PROT_EXEC : 0);

	if (segment->p_filesz > 0 && mmap((void *)start, file_end - start, protection, MAP_PRIVATE | fixed,
					  image->fd, (off_t)offset) == MAP_FAILED)
		fail(what);
	if (segment->p_memsz == segment->p_filesz)
		return;
	if (page_up(file_end) < end && mmap((void *)page_up(file_end), end - page_up(file_end), protection,
					    MAP_PRIVATE | MAP_ANONYMOUS | fixed, -1, 0) == MAP_FAILED)
		fail(what);
	if (segment->p_flags & PF_W)
		memset((void *)file_end, 0, (page_up(file_end) < end ? page_up(file_end) : end) - file_end);
}

static void map_image(struct image *image, const char *what)
{
	place_image(image, what);
	for (unsigned i = 0; i < image->header.e_phnum; i++) {
		if (image->segments[i].p_type == PT_LOAD)
			map_segment(image, &image->segments[i], what);
	}
}

/* Where the program headers are in memory: the dynamic linker finds the program by them. */
static uintptr_t headers_in_memory(const struct image *image)
{
	for (unsigned i = 0; i < image->header.e_phnum; i++) {
		const Elf64_Phdr *segment = &image->segments[i];

		if (segment->p_type == PT_LOAD && segment->p_offset <= image->header.e_phoff &&
		    image->header.e_phoff < segment->p_offset + segment->p_filesz)
			return image->bias + segment->p_vaddr + (image->header.e_phoff - segment->p_offset);
	}
	errno = ENOEXEC;
	fail("program headers");
}

/* The program begins on the first page behind this one, whose last part are its section headers. */
static void open_program(struct image *program)
{
	Elf64_Ehdr own;

	program->fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (program->fd < 0)
		fail("/proc/self/exe");
	read_exactly(program->fd, &own, sizeof(own), 0, "/proc/self/exe");
	program->file_offset = page_up(own.e_shoff + (uint64_t)own.e_shnum * own.e_shentsize);
	read_image(program, "/proc/self/exe");
}

static void open_linker(struct image *linker, const struct image *program)
{
	const Elf64_Phdr *named = find_segment(program, PT_INTERP);
	static char path[256];

	if (!named || named->p_filesz > sizeof(path)) {
		errno = ENOEXEC;
		fail("its dynamic linker's name");
	}
	read_exactly(program->fd, path, named->p_filesz, program->file_offset + named->p_offset,
		     "its dynamic linker's name");
	linker->file_offset = 0;
	linker->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (linker->fd < 0)
		fail(path);
	read_image(linker, path);
	map_image(linker, path);
}

static void set_auxiliary(Elf64_auxv_t *vector, const struct image *program, const struct image *linker)
{
	for (; vector->a_type != AT_NULL; vector++) {
		switch (vector->a_type) {
		case AT_PHDR: vector->a_un.a_val = headers_in_memory(program); break;
		case AT_PHENT: vector->a_un.a_val = sizeof(Elf64_Phdr); break;
		case AT_PHNUM: vector->a_un.a_val = program->header.e_phnum; break;
		case AT_BASE: vector->a_un.a_val = linker->bias; break;
		case AT_ENTRY: vector->a_un.a_val = program->bias + program->header.e_entry; break;
		default: break;
		}
	}
}

/* The registers as the kernel leaves them after execve: a stack, and no function to call at the end. */
static _Noreturn void enter(uintptr_t entry, void *stack)
{
#if defined(__x86_64__)
	__asm__ volatile("mov %0, %%rsp\n\txor %%edx, %%edx\n\txor %%ebp, %%ebp\n\tjmp *%1"
			 :
			 : "r"(stack), "r"(entry)
			 : "memory", "rdx");
#elif defined(__aarch64__)
	__asm__ volatile("mov sp, %0\n\tmov x0, #0\n\tmov x29, #0\n\tmov x30, #0\n\tbr %1"
			 :
			 : "r"(stack), "r"(entry)
			 : "memory", "x0");
#else
#error "no way to enter a program on this architecture"
#endif
	__builtin_unreachable();
}

static size_t count_words(char **words)
{
	size_t count = 0;

	while (words[count])
		count++;
	return count;
}

static bool is_set(char **env, const char *variable)
{
	size_t name = strcspn(variable, "=") + 1;

	for (; *env; env++) {
		if (strncmp(*env, variable, name) == 0)
			return true;
	}
	return false;
}

static size_t auxiliary_bytes(const Elf64_auxv_t *vector)
{
	const Elf64_auxv_t *end = vector;

	while (end->a_type != AT_NULL)
		end++;
	return (size_t)(end + 1 - vector) * sizeof(*vector);
}

/* The kernel's stack is argc, argv, NULL, environment, NULL, auxiliary vector. This is a second one, further down. */
static _Noreturn void enter_with(const struct image *program, const struct image *linker, char **argv, char *variable)
{
	size_t argc = count_words(argv), variables;
	char **env = argv + argc + 1;
	Elf64_auxv_t *vector;
	char **stack, **at;

	variables = count_words(env);
	vector = (Elf64_auxv_t *)(env + variables + 1);
	set_auxiliary(vector, program, linker);
	stack = __builtin_alloca_with_align((argc + variables + 4) * sizeof(*stack) + auxiliary_bytes(vector), 128);
	at = stack;
	*at++ = (char *)argc;
	memcpy(at, argv, (argc + 1 + variables) * sizeof(*at));
	at += argc + 1 + variables;
	if (variable && !is_set(env, variable))
		*at++ = variable;
	*at++ = NULL;
	memcpy(at, vector, auxiliary_bytes(vector));
	enter(linker->bias + linker->header.e_entry, stack);
}

_Noreturn void become_program(char **argv, char *variable)
{
	static struct image program, linker;

	open_program(&program);
	map_image(&program, "/proc/self/exe");
	open_linker(&linker, &program);
	close(program.fd);
	close(linker.fd);
	enter_with(&program, &linker, argv, variable);
}
