/* The interpreter's memory, as scripts/make-snapshot.ts left it. */
	.section .rodata.snapshot, "a"
	.balign 4096
	.globl snapshot_memory
	.hidden snapshot_memory
snapshot_memory:
	.incbin "memory.bin"
	.section .note.GNU-stack, "", @progbits
