/*
 * How a command is served by the engine: see docs/front-protocol.md and src/wire/front-frames.ts.
 * After the upgrade both sides send frames: a type, a length (u32, little endian), a payload.
 */
#ifndef GANTRY_FRONT_PROTOCOL_H
#define GANTRY_FRONT_PROTOCOL_H

#include <stdint.h>

#define FRAME_HEADER_BYTES 5
#define FRAME_MAX_BYTES (64u << 10) /* payload from the engine, and of one INPUT */

enum frame_type {
	/* front to engine */
	FRAME_HELLO = 'H', /* text fields, each with a NUL behind it */
	FRAME_INPUT = 'I', /* bytes of standard input; none: its end */
	FRAME_SIGNAL = 'S', /* u8 number */
	FRAME_SIZE = 'W', /* u16 rows, u16 columns */
	/* engine to front */
	FRAME_OUTPUT = 'O',
	FRAME_ERROR = 'E',
	FRAME_READ = 'R', /* send one INPUT */
	FRAME_TAKE = 'T', /* u8 signal: send it instead of having it */
	FRAME_RELEASE = 't',
	FRAME_RAW = 'M', /* raw mode of the terminal */
	FRAME_COOKED = 'm',
	FRAME_EXIT = 'X', /* u8 exit code */
	FRAME_DECLINE = 'D' /* nothing was done: run the command yourself */
};

#endif
