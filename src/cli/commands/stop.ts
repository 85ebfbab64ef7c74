import { stopCommand } from "./action-command.ts";

export const command = () => stopCommand("stop");
