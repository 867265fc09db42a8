import type { FuzzDoor } from "../door.ts";
import { eventDoor } from "./event/event-door.ts";
import { tokenDoor } from "./token/token-door.ts";

export const doors: readonly FuzzDoor[] = [tokenDoor, eventDoor];
