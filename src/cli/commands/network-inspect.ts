import { inspectCommand } from "./inspect-command.ts";

export const command = () => inspectCommand("network");
