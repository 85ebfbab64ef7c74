import { freezeCommand } from "./action-command.ts";

export const command = () => freezeCommand("unpause");
