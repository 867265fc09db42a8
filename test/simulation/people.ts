import { ownSource } from "../../shared/events/event.ts";

export const namespace = "sim";
export const source = ownSource(namespace);
export const administrator = { email: "admin@example.com", password: "correct horse battery" };
export const passwordOfAll = "a password of them all";
export const identityProvider = "https://idp.test";

export function emailOf(userId: string): string {
  return `${userId}@example.com`;
}

/** By which the identity provider knows the user that was made at this place. */
export function personAt(place: number): string {
  return `person-${place}`;
}

/** Null for whom it does not know. */
export function placeOf(person: string): number | null {
  const [, place] = /^person-(\d+)$/.exec(person) ?? [];
  return place === undefined ? null : Number(place);
}
