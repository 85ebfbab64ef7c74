import { servedWords } from "../src/cli/commands.ts";

/** A C header: the words with which a call has to begin that the engine may serve (front/main.c). */
const words = servedWords().map((word) => `"${word}"`);
console.log(`static const char *const served_words[] = {${words.join(", ")}};`);
