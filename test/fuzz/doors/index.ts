import type { FuzzDoor } from "../door.ts";
import { tokenDoor } from "./token/token-door.ts";

export const doors: readonly FuzzDoor[] = [tokenDoor];
